import { StreamgaugeError, isStreamgaugeError, messageOf } from "@streamgauge/core";
import { isJsonObject } from "../json-object.js";
import { notAHub, type HubAccess } from "./hub-fetch.js";
import { isCommit } from "./hub-name.js";

/** A file of a model, as a hub lists it. */
export interface HubFile {
  /** Below the model's folder, with "/". */
  readonly path: string;
  readonly sizeBytes: number;
  /** In lower-case hex; its blob's name too. */
  readonly hash: string;
  /** What the hash is of: the bytes, or git's blob of them. */
  readonly hashedAs: "sha256" | "git";
}

/** A model's files at a commit. */
export interface HubListing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

/** More than any model has; a list that goes on and on ends here. */
const mostFiles = 100_000;

/**
 * Asks which commit a revision is, and for its files.
 *
 * @throws StreamgaugeError `HUB_FAILED`, `HUB_DENIED`, `MODEL_NOT_FOUND`; the signal's reason
 */
export async function listHubFiles(
  { endpoint, model, signal }: HubAccess,
  hubFetch: typeof fetch,
): Promise<HubListing> {
  const { listFiles, modelInfo } = await import("@huggingface/hub");
  const asked = { hubUrl: endpoint, fetch: hubFetch };
  try {
    const { name, revision } = model;
    const { sha } = await modelInfo({ ...asked, name, revision, additionalFields: ["sha"] });
    if (typeof sha !== "string" || !isCommit(sha)) {
      throw notAHub(endpoint, `it names no commit for ${name} at ${revision}`);
    }
    const files = new Map<string, HubFile>();
    const entries = listFiles({ ...asked, repo: name, revision: sha, recursive: true });
    let count = 0;
    for await (const entry of entries) {
      if (++count > mostFiles) throw notAHub(endpoint, `it lists more than ${mostFiles} files`);
      const file = readEntry(entry, endpoint);
      if (file !== undefined) files.set(file.path, file);
    }
    return { commit: sha, files };
  } catch (error) {
    signal?.throwIfAborted();
    if (isStreamgaugeError(error)) throw error;
    throw notAHub(endpoint, messageOf(error), error);
  }
}

function readEntry(entry: unknown, endpoint: string): HubFile | undefined {
  if (!isJsonObject(entry)) throw notAHub(endpoint, "an entry of its list of files is no object");
  const { type, path, size, oid, lfs } = entry;
  if (type !== "file") return undefined;
  const stored = isJsonObject(lfs) ? lfs : undefined;
  const hash = stored?.["oid"] ?? oid;
  const length = stored === undefined ? 40 : 64;
  const sizeBytes = stored?.["size"] ?? size;
  // The hash becomes a file's name.
  const isHash = typeof hash === "string" && hash.length === length && !/[^0-9a-f]/.test(hash);
  if (typeof path === "string" && isHash && isSize(sizeBytes)) {
    return { path, sizeBytes, hash, hashedAs: stored === undefined ? "git" : "sha256" };
  }
  throw notAHub(endpoint, `it lists the file ${JSON.stringify(path)} without a size and a hash`);
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** For what the hub's list says about a file, and its bytes do not. */
export function alteredFile({ path }: HubFile, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${path} arrived damaged or altered: ${what}. It was refused. Pull again; if this is said again, ` +
      `something between here and the hub changes what it sends.`,
  );
}
