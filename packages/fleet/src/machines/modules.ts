import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { invalidOption, messageOf } from "@streamgauge/core";
import { sha256Of } from "../parts/hash.js";

/**
 * Modules with scenarios, by the SHA-256 of their files: a run names them by it, and an agent that has
 * the same file installed runs its own. No code crosses.
 *
 * @param urls file URLs
 * @throws StreamgaugeError `INVALID_OPTION` for one that cannot be read
 */
export async function hashModules(urls: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const entries = urls.map(async (url) => {
    try {
      return [sha256Of(await readFile(fileURLToPath(url))), url] as const;
    } catch (cause) {
      throw invalidOption(`${url} cannot be read: ${messageOf(cause)}. Give the path of a module.`);
    }
  });
  return new Map(await Promise.all(entries));
}
