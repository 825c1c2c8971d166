import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { isCommit, parseHubName, pullCommand, type HubName } from "./hub-name.js";

// models--owner--name/
//   blobs/<hash>                   a file's bytes; <hash>.incomplete while they arrive
//   snapshots/<commit>/<path>      a link to its blob
//   refs/<revision>                the commit that the revision was, when it was pulled

/** The cache of Hugging Face's own tools, by their environment variables. */
export function hubCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const said = HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE;
  if (said !== undefined) return said;
  return join(HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface"), "hub");
}

/** Where a cache keeps a model. */
export function repositoryFolder(cache: string, name: string): string {
  return join(cache, ["models", ...name.split("/")].join("--"));
}

/** Which model of a hub lies in a cache. */
export interface PulledName {
  /** As the hub writes it: `owner/name`. */
  readonly name: string;
  /** The branch, tag or commit that was asked for. */
  readonly revision: string;
  /** Which commit that was when it was pulled. */
  readonly commit: string;
}

/**
 * Finds a model that was pulled. Reads the cache and nothing else; the model's files
 * are looked for when it is opened.
 *
 * @param text `owner/name` or `owner/name@revision`
 * @returns what was found, and its folder
 * @throws StreamgaugeError `INVALID_OPTION` for what is no name; `MODEL_NOT_FOUND`, with the command
 *   that pulls it, where it was not pulled
 */
export function findPulled(
  text: string,
  cache: string = hubCacheFolder(),
): PulledName & { readonly folder: string } {
  const wanted = parseHubName(text);
  const repository = repositoryFolder(cache, wanted.name);
  const commit = readRef(repository, wanted.revision) ?? wanted.revision;
  const folder = join(repository, "snapshots", commit);
  if (isCommit(commit) && isFolder(folder)) return { ...wanted, commit, folder };
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `${wanted.name} at ${wanted.revision} is not in ${cache}, and nothing is downloaded unasked: run ` +
      `\`${pullCommand(wanted)}\`, or set HF_HUB_CACHE to the cache that has it.`,
  );
}

/** Which model of a hub a folder is, where it lies in a hub's cache. */
export function hubNameOf(folder: string): HubName | undefined {
  const commit = basename(folder);
  const snapshots = dirname(folder);
  const [kind, ...parts] = basename(dirname(snapshots)).split("--");
  if (kind !== "models" || basename(snapshots) !== "snapshots" || parts.length === 0) return;
  return { name: parts.join("/"), revision: commit };
}

function readRef(repository: string, revision: string): string | undefined {
  try {
    return readFileSync(join(repository, "refs", revision), "utf8").trim();
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
