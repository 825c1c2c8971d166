// Packs a package, and says what should not be in the tarball, or is missing from it.
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import { run } from "./programs.mjs";

// What only somebody with a clone has a use for.
const developmentFile =
  /(^|\/)(tests?|__snapshots__|fixtures|checkpoints|coverage|node_modules|\.turbo)\/|\.(test|spec)\.|tsconfig|tsbuildinfo|vitest\.config|\.log$|\.env/;

/**
 * Packs a package as it would be published.
 *
 * @param {{ folder: string, manifest: any }} published
 * @param {{ into: string, pnpm: readonly string[], signal: AbortSignal }} options
 * @returns {Promise<{ file: string, bytes: number, paths: string[] }>} the tarball's name, its size,
 *   and what it contains.
 */
export async function pack({ folder }, { into, pnpm, signal }) {
  const [program, ...before] = pnpm;
  const output = await run(program, [...before, "pack", "--json", "--pack-destination", into], {
    cwd: folder,
    signal,
  });
  const { filename, files } = JSON.parse(output.slice(output.indexOf("{")));
  const file = basename(filename);
  const { size } = await stat(join(into, file));
  return { file, bytes: size, paths: files.map(({ path }) => path) };
}

/**
 * What is wrong with a tarball's list of files, in sentences; empty when nothing is.
 *
 * @param {any} manifest
 * @param {readonly string[]} paths
 * @returns {string[]}
 */
export function contentProblems(manifest, paths) {
  const present = new Set(paths);
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  const needed = [
    "LICENSE",
    "README.md",
    "package.json",
    ...[...targets, ...Object.values(manifest.bin ?? {})].map((path) => posix.normalize(path)),
  ];
  return [
    ...paths
      .filter((path) => developmentFile.test(path))
      .map((path) => `${manifest.name} packs ${path}, which only developers need.`),
    ...needed
      .filter((path) => !present.has(path))
      .map((path) => `${manifest.name} does not pack ${path}. Is everything built?`),
  ];
}

/**
 * What is wrong with the source maps of an installed package: each must bring its sources along, or
 * point at a file that is there.
 *
 * @param {string} folder where it is installed
 * @param {readonly string[]} paths what its tarball contains
 * @returns {Promise<string[]>}
 */
export async function sourceMapProblems(folder, paths) {
  const present = new Set(paths);
  const problems = [];
  for (const path of paths.filter((candidate) => candidate.endsWith(".map"))) {
    const map = JSON.parse(await readFile(join(folder, path), "utf8"));
    for (const [index, source] of map.sources.entries()) {
      const target = posix.join(dirname(path), map.sourceRoot ?? "", source);
      if (map.sourcesContent?.[index] == null && !present.has(target))
        problems.push(
          `${path} points at ${target}, which is not packed. A file of an older build? Run pnpm clean.`,
        );
    }
  }
  return problems;
}
