import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { access, constants, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isJsonObject } from "../json-object.js";
import type { MachineClass } from "./machine-class.js";
import { mostSpinMicroseconds, type TimedSettings } from "./thread-settings.js";

// <folder>/threads/<hash of the key>.json holds a TimingsFile: one file for each model, number of
// workers and class of machines, so that processes which write at once write different files, or the same.

/** What measured times belong to. */
export interface TimingsKey extends MachineClass {
  /** Of the graph; see `StepWeights`. */
  readonly shapeHash: string;
  readonly workers: number;
}

/** Times that were measured once, and by what. */
export interface KeptTimings {
  /** "loading": of some of the model's matrices. "tune": of the model itself, by `streamgauge tune`. */
  readonly source: "loading" | "tune";
  readonly timings: readonly TimedSettings[];
}

const format = "streamgauge-threads";
/** Of the file; others are not read. */
const version = 1;
/** A file that is longer is none of ours. */
const mostBytes = 1 << 16;

/**
 * The folder for what can be measured again: what `STREAMGAUGE_CACHE_DIR` says, or else
 * `streamgauge` in the user's folder for such files (`XDG_CACHE_HOME` or `~/.cache`, on Windows
 * `LOCALAPPDATA`, on macOS `~/Library/Caches`). Undefined for a user without a home.
 */
export function cacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const { STREAMGAUGE_CACHE_DIR: said, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (said !== undefined && said !== "") return resolve(said);
  const inHome = (...path: readonly string[]): string | undefined => {
    try {
      return join(homedir(), ...path);
    } catch {
      return undefined;
    }
  };
  const base =
    platform === "win32"
      ? LOCALAPPDATA || inHome("AppData", "Local")
      : platform === "darwin"
        ? inHome("Library", "Caches")
        : XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)
          ? XDG_CACHE_HOME
          : // A relative path is to be ignored, says the standard that the variable is from.
            inHome(".cache");
  return base === undefined ? undefined : resolve(base, "streamgauge");
}

/** The times of a key; undefined where there are none, and for a file that is damaged or somebody else's. */
export async function readTimings(
  folder: string,
  key: TimingsKey,
): Promise<KeptTimings | undefined> {
  const file = fileOf(folder, key);
  try {
    const found = await stat(file);
    // Reading a pipe may never end.
    if (!found.isFile() || found.size > mostBytes) return undefined;
    return parseTimings(await readFile(file, "utf8"), key);
  } catch {
    return undefined;
  }
}

/**
 * Looks whether times can be kept in a folder, and writes nothing.
 *
 * @throws what the file system throws, or an Error that says why, where they cannot
 */
export async function requireKeeping(folder: string): Promise<void> {
  let nearest = join(folder, "threads");
  let found: Stats | undefined;
  while (found === undefined) {
    try {
      found = await stat(nearest);
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isMissing || dirname(nearest) === nearest) throw error;
      nearest = dirname(nearest);
    }
  }
  if (!found.isDirectory()) throw new Error(`${nearest} is no folder.`);
  await access(nearest, constants.W_OK);
}

/**
 * Keeps times, in place of those that were kept. A reader finds either, whole.
 *
 * @returns the file
 * @throws what the file system throws
 */
export async function keepTimings(
  folder: string,
  key: TimingsKey,
  { source, timings }: KeptTimings,
): Promise<string> {
  const file = fileOf(folder, key);
  await mkdir(join(folder, "threads"), { recursive: true });
  const workshop = `${file}.${randomBytes(4).toString("hex")}`;
  try {
    const contents = { format, version, key: inOrder(key), source, timings };
    await writeFile(workshop, `${JSON.stringify(contents, undefined, 1)}\n`, { flag: "wx" });
    await rename(workshop, file);
  } finally {
    await rm(workshop, { force: true });
  }
  return file;
}

function fileOf(folder: string, key: TimingsKey): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(inOrder(key)))
    .digest("hex");
  return join(folder, "threads", `${hash.slice(0, 24)}.json`);
}

/** The key's own fields in one order: its text is compared. */
function inOrder(key: TimingsKey): TimingsKey {
  const { platform, architecture, processor, cores, onnxruntime, shapeHash, workers } = key;
  return { platform, architecture, processor, cores, onnxruntime, shapeHash, workers };
}

/** @throws SyntaxError for what is no JSON */
function parseTimings(text: string, key: TimingsKey): KeptTimings | undefined {
  const found: unknown = JSON.parse(text);
  if (!isJsonObject(found) || found["format"] !== format || found["version"] !== version) return;
  if (JSON.stringify(found["key"]) !== JSON.stringify(inOrder(key))) return;
  const { source, timings } = found;
  if (source !== "loading" && source !== "tune") return;
  if (!Array.isArray(timings) || timings.length === 0) return;
  const isTimed = (value: unknown): value is TimedSettings =>
    isJsonObject(value) &&
    isIntegerUpTo(value["threads"], 1, key.cores) &&
    isIntegerUpTo(value["spinMicroseconds"], 0, mostSpinMicroseconds) &&
    typeof value["microseconds"] === "number" &&
    Number.isFinite(value["microseconds"]) &&
    value["microseconds"] > 0;
  return timings.every(isTimed) ? { source, timings } : undefined;
}

function isIntegerUpTo(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
