import { mkdir, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  StreamgaugeError,
  choiceCheck,
  functionCheck,
  invalidOption,
  readOptions,
  type OptionCheck,
  type OptionTable,
} from "@streamgauge/core";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { inCache } from "./cache-failure.js";
import { chooseGraph, companionFiles, weightFiles } from "./choose-files.js";
import { downloadFile, partialFile } from "./download-file.js";
import { hubCacheFolder, repositoryFolder } from "./hub-cache.js";
import { createHubFetch, type HubAccess } from "./hub-fetch.js";
import { listHubFiles, type HubFile } from "./hub-files.js";
import { checkRevision, isCommit, parseHubName } from "./hub-name.js";
import { placeFile, writeRef, type Placing } from "./place-files.js";
import { isWholeFile, sizeOfFile } from "./verify-file.js";

export interface PullOptions {
  /** `owner/name` or `owner/name@revision`. */
  readonly name: string;
  /** Which graph to pull. Default: the one the runtime would choose. */
  readonly dtype?: ModelDtype;
  /** A branch, a tag or a commit. Default: what stands in the name, or else "main". */
  readonly revision?: string;
  /** The environment variable that holds the token, if there is one. Default "HF_TOKEN". */
  readonly tokenEnv?: string;
  /** The hub. Default: HF_ENDPOINT, or else https://huggingface.co. */
  readonly endpoint?: string;
  /** The cache. Default: that of Hugging Face's own tools, by HF_HUB_CACHE and HF_HOME. */
  readonly cache?: string;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far a pull is. */
export interface PullProgress {
  /** Which file, below the model's folder. */
  readonly file: string;
  /** Of all files that are known to be needed, what was there before included. */
  readonly doneBytes: number;
  /** Grows when a graph is there that has weights in further files. */
  readonly totalBytes: number;
}

/** What a pull has left. */
export interface PulledModel {
  /** The folder that opens. */
  readonly folder: string;
  readonly commit: string;
  /** Undefined where the model has one graph and does not say. */
  readonly dtype: ModelDtype | undefined;
  /** Below the folder. */
  readonly files: readonly string[];
  readonly totalBytes: number;
  /** What was not there before. */
  readonly downloadedBytes: number;
}

const textCheck: OptionCheck<string> = {
  accepts: (value): value is string => typeof value === "string" && value !== "",
  expected: "a text",
};

type Given = "dtype" | "revision" | "endpoint" | "cache" | "signal";
type Choices = Required<Omit<PullOptions, Given>> & {
  readonly [Option in Given]: PullOptions[Option] | undefined;
};

const table: OptionTable<PullOptions, Choices> = {
  name: { check: textCheck },
  dtype: { check: choiceCheck(modelDtypes), default: undefined },
  revision: { check: textCheck, default: undefined },
  tokenEnv: { check: textCheck, default: "HF_TOKEN" },
  endpoint: { check: textCheck, default: undefined },
  cache: { check: textCheck, default: undefined },
  onProgress: { check: functionCheck(), default: () => undefined },
  signal: {
    check: {
      accepts: (value): value is AbortSignal => value instanceof AbortSignal,
      expected: "an AbortSignal",
    },
    default: undefined,
  },
};

const publicHub = "https://huggingface.co";

/**
 * Downloads a model from a hub into the cache of Hugging Face's own tools: one graph with its
 * weights, and the files that say how it is used. What is there already is checked and kept;
 * what was interrupted goes on. Links and the revision appear when all files are whole.
 *
 * The token is taken from the environment, sent to the hub alone, and in no message.
 *
 * @throws StreamgaugeError `INVALID_OPTION`; `HUB_FAILED`, `HUB_DENIED`, `MODEL_NOT_FOUND` for what the
 *   hub answers; `MODEL_CORRUPT` for bytes that are not the listed ones; `MODEL_UNSUPPORTED`;
 *   `CACHE_FAILED` for what the disk refuses; the signal's reason. Each keeps what was there.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  return await pullWith(options, undefined);
}

/** As {@link pullModel}, placing files as tests say. */
export async function pullWith(
  options: PullOptions,
  place: Placing | undefined,
): Promise<PulledModel> {
  const { name: text, dtype: wanted, revision, signal, ...choices } = readOptions(options, table);
  const parsed = parseHubName(text);
  const model = revision === undefined ? parsed : { ...parsed, revision: checkRevision(revision) };
  const access: HubAccess = {
    endpoint: readEndpoint(choices.endpoint ?? process.env["HF_ENDPOINT"] ?? publicHub),
    token: process.env[choices.tokenEnv]?.trim() || undefined,
    tokenName: choices.tokenEnv,
    model,
    signal,
  };
  const hubFetch = createHubFetch(access);
  const repository = repositoryFolder(resolve(choices.cache ?? hubCacheFolder()), model.name);
  const { commit, files } = await listHubFiles(access, hubFetch);
  const folder = join(repository, "snapshots", commit);
  const blobs = join(repository, "blobs");
  await inCache(blobs, () => mkdir(blobs, { recursive: true }));

  const blobOf = ({ hash }: HubFile): string => join(blobs, hash);
  const wholeAt = new Map<HubFile, string>();
  let totalBytes = 0;
  let doneBytes = 0;
  let downloadedBytes = 0;

  const companions = companionFiles(files);
  await fetchAll(companions);
  const graph = await chooseGraph(model.name, files, wanted, (file) => pathOf(file));
  await fetchAll([graph.file]);
  const weights = await weightFiles(model.name, files, graph.file, pathOf(graph.file));
  await fetchAll(weights);

  // The configuration comes last: without it, no folder opens.
  const all = [...weights, graph.file, ...companions];
  for (const file of all) {
    const target = targetOf(file);
    if (pathOf(file) !== target) await placeFile(blobOf(file), target, place);
  }
  if (!isCommit(model.revision)) await writeRef(repository, model.revision, commit);
  return {
    folder,
    commit,
    dtype: graph.dtype,
    files: all.map(({ path }) => path),
    totalBytes,
    downloadedBytes,
  };

  async function fetchAll(wave: readonly HubFile[]): Promise<void> {
    const missing: HubFile[] = [];
    totalBytes += wave.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const file of wave) {
      const found = await findWhole(file);
      if (found === undefined) missing.push(file);
      else settle(file, found);
    }
    await checkRoom(blobs, missing);
    for (const file of missing) {
      const url = `${access.endpoint}/${model.name}/resolve/${commit}/${encoded(file.path)}`;
      let earlier: number | undefined;
      const onBytes = (bytes: number): void => {
        earlier ??= bytes;
        report(file, doneBytes + bytes);
      };
      const target = blobOf(file);
      await downloadFile({ access, hubFetch, file, url, target, onBytes });
      downloadedBytes += file.sizeBytes - (earlier ?? 0);
      settle(file, target);
    }
  }

  /** A blob, or, where Hugging Face's tools found no links to be allowed, the file in its place. */
  async function findWhole(file: HubFile): Promise<string | undefined> {
    for (const path of [blobOf(file), targetOf(file)]) {
      const isWhole = await inCache(path, () => isWholeFile(path, file, signal));
      if (isWhole) return path;
    }
    return undefined;
  }

  function settle(file: HubFile, path: string): void {
    wholeAt.set(file, path);
    doneBytes += file.sizeBytes;
    report(file, doneBytes);
  }

  function report({ path }: HubFile, bytes: number): void {
    choices.onProgress({ file: path, doneBytes: bytes, totalBytes });
  }

  function pathOf(file: HubFile): string {
    return wholeAt.get(file) ?? blobOf(file);
  }

  function targetOf({ path }: HubFile): string {
    return join(folder, ...path.split("/"));
  }
}

function encoded(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

async function checkRoom(blobs: string, missing: readonly HubFile[]): Promise<void> {
  let neededBytes = 0;
  for (const { hash, sizeBytes } of missing) {
    neededBytes += sizeBytes - ((await sizeOfFile(partialFile(join(blobs, hash)))) ?? 0);
  }
  // Where a file system does not say, writing will.
  const found = await statfs(blobs).catch(() => undefined);
  const freeBytes = found === undefined ? Infinity : found.bavail * found.bsize;
  if (neededBytes <= freeBytes) return;
  const [needed, free] = [neededBytes, freeBytes].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
  throw new StreamgaugeError(
    "CACHE_FAILED",
    `${blobs} has room for ${free}, and ${needed} are to come: make room, choose another cache by ` +
      `--cache (or HF_HUB_CACHE), or a smaller dtype.`,
  );
}

function readEndpoint(text: string): string {
  const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (isAddress) return text.replace(/\/+$/, "");
  throw invalidOption(
    `endpoint is ${JSON.stringify(text)}, and must be the address of a hub, as ${publicHub}.`,
  );
}
