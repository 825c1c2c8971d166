import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { HubFile } from "./hub-files.js";

/** The hash of a file in lower-case hex, made as the hub made its own. */
export async function hashFile(
  path: string,
  { sizeBytes, hashedAs }: HubFile,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash(hashedAs === "git" ? "sha1" : "sha256");
  if (hashedAs === "git") hash.update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** Bytes of a file, or of what a link leads to; undefined where there is none. */
export async function sizeOfFile(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isDirectory() ? found.size : undefined;
}

/** Whether a file is there with all its bytes. Reads it to its end. */
export async function isWholeFile(
  path: string,
  file: HubFile,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if ((await sizeOfFile(path)) !== file.sizeBytes) return false;
  return (await hashFile(path, file, signal)) === file.hash;
}
