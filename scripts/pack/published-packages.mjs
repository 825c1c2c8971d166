// The packages that are published, in the order in which they depend on one another.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The workspace's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const names = ["core", "runtime", "bench", "fleet", "report"];

/**
 * Reads the manifests of the published packages.
 *
 * @returns {Promise<{ folder: string, manifest: any, entries: string[] }[]>} `entries` are what can
 *   be imported: the package's name and its subpaths, without package.json.
 */
export async function publishedPackages() {
  return Promise.all(
    names.map(async (name) => {
      const folder = join(root, "packages", name);
      const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      const entries = Object.keys(manifest.exports)
        .filter((path) => path !== "./package.json")
        .map((path) => manifest.name + path.slice(1));
      return { folder, manifest, entries };
    }),
  );
}
