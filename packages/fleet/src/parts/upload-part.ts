import { chunkBytes, type Manifest, type ManifestFile } from "../messages/manifest.js";
import type { Redis } from "../redis/connection.js";
import { expirySeconds, type FleetKeys } from "../redis/keys.js";
import { sha256Of } from "./hash.js";

/** Reads a file of a part again; files are not held in memory together. */
export type ReadFile = (name: string) => Promise<Uint8Array>;

/**
 * Puts the files of a part into Redis, in pieces under their SHA-256. Nobody sees them until a manifest
 * names them; what no manifest names expires.
 *
 * @param names of the files, in the order of the manifest
 */
export async function uploadFiles(
  redis: Redis,
  keys: FleetKeys,
  part: string,
  { names, read }: { readonly names: readonly string[]; readonly read: ReadFile },
): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const name of names) {
    const bytes = await read(name);
    const chunks: string[] = [];
    for (let start = 0; start < bytes.byteLength; start += chunkBytes) {
      const chunk = Buffer.from(bytes.subarray(start, start + chunkBytes));
      const hash = sha256Of(chunk);
      await redis.set(keys.chunk(part, hash), chunk, "EX", expirySeconds.chunk);
      chunks.push(hash);
    }
    files.push({ name, byteLength: bytes.byteLength, sha256: sha256Of(bytes), chunks });
  }
  return files;
}

/** What became of a part that was measured, and the SHA-256 of the manifest that counts. */
export interface Commit {
  /** False where another execution was first: nothing of this one counts. */
  readonly isFirst: boolean;
  readonly manifest: string;
}

/**
 * Makes a part count, with all of its files at once, unless it has been measured already. May be called
 * again with the same manifest, where an answer of the server was lost.
 */
export async function commitPart(
  redis: Redis,
  keys: FleetKeys,
  manifest: Manifest,
): Promise<Commit> {
  const key = keys.manifest(manifest.part);
  const text = JSON.stringify(manifest);
  const done = await redis.set(key, text, "EX", expirySeconds.part, "NX");
  if (done === "OK") return { isFirst: true, manifest: sha256Of(text) };
  const first = await redis.get(key);
  // It expired in between, or somebody took it away: nobody was first.
  if (first === null) return await commitPart(redis, keys, manifest);
  if (first === text) return { isFirst: true, manifest: sha256Of(text) };
  await dropChunks(redis, keys, manifest, first);
  return { isFirst: false, manifest: sha256Of(first) };
}

/** Takes the pieces of a part away, but for those that another manifest of it names. */
export async function dropChunks(
  redis: Redis,
  keys: FleetKeys,
  { part, files }: Manifest,
  other = "",
): Promise<void> {
  const chunks = files.flatMap((file) => file.chunks).filter((hash) => !other.includes(hash));
  if (chunks.length > 0) await redis.unlink(chunks.map((hash) => keys.chunk(part, hash)));
}
