import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

/** What the package.json of an installed package says. */
export interface InstalledPackage {
  readonly version: string;
  /** Its `engines.node`; null where it has none. */
  readonly nodeRange: string | null;
}

/**
 * Finds a package as another one would, and reads its package.json, whatever it exports.
 *
 * @param from a file that resolves from here, whose package's dependencies are looked through
 * @returns null where it is not installed
 */
export async function findInstalled(
  name: string,
  from = "@streamgauge/bench/package.json",
): Promise<InstalledPackage | null> {
  try {
    const path = createRequire(import.meta.url).resolve(from);
    if (from === `${name}/package.json`) return await read(path);
    for (const folder of createRequire(path).resolve.paths(name) ?? []) {
      const found = await read(join(folder, name, "package.json")).catch(() => null);
      if (found !== null) return found;
    }
  } catch {
    // What it is looked for from is not there.
  }
  return null;
}

async function read(path: string): Promise<InstalledPackage | null> {
  const { version, engines } = JSON.parse(await readFile(path, "utf8")) as {
    readonly version?: unknown;
    readonly engines?: { readonly node?: unknown };
  };
  if (typeof version !== "string") return null;
  return { version, nodeRange: typeof engines?.node === "string" ? engines.node : null };
}
