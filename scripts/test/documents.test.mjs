import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { figures } from "../../packages/report/dist/markers/figures.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Made by commands, or somebody else's. */
const leftOut = new Set(["node_modules", "dist", "models", ".git", ".turbo", "api", "local"]);

/** Files and folders below a folder, with slashes and relative to the root. */
async function pathsBelow(folder) {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const found = [];
  for (const entry of entries) {
    if (leftOut.has(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    found.push(path);
    if (entry.isDirectory()) found.push(...(await pathsBelow(path)));
  }
  return found;
}

const paths = await pathsBelow("");

/** What people read and edit; `docs/model-layouts.md` is written by a test. */
const documents = paths.filter(
  (path) =>
    /^(docs\/(decisions\/)?[^/]+|packages\/[^/]+\/README|examples\/[^/]+\/README|[^/]+)\.md$/.test(
      path,
    ) && !["docs/model-layouts.md", "BENCHMARKS.md", "CHANGELOG.md"].includes(path),
);

const ends = new Set(paths.flatMap((path) => endsOf(path)));

/** `packages/core/src/errors.ts`, `core/src/errors.ts`, … `errors.ts`. */
function endsOf(path) {
  const steps = path.split("/");
  return steps.map((_, index) => steps.slice(index).join("/"));
}

/** Paths of source in a document: what stands in backticks with `src/` in it, or ends as code does. */
function pathsIn(text) {
  return [...text.matchAll(/`([\w@./*-]+)`/g)]
    .map(([, path]) => path)
    .filter((path) => /(^|\/)src\/|\.(ts|mjs)$/.test(path) && !/[*]|^@|^\.\.?\//.test(path));
}

describe("documents", () => {
  it.each(documents)("%s names files that exist", async (document) => {
    const text = await readFile(join(root, document), "utf8");
    const missing = pathsIn(text).filter((path) => !ends.has(path.replace(/\/$/, "")));
    expect(missing).toEqual([]);
  });

  it("are more than a few, and a path that was moved would be noticed", () => {
    expect(documents.length).toBeGreaterThan(40);
    const [path] = pathsIn("see `packages/bench/src/moved-away.ts`");
    expect(ends.has(path)).toBe(false);
    expect(ends.has("bench/src/record")).toBe(true);
  });

  it("ask for every figure that there is", async () => {
    const marked = [
      "README.md",
      "CHANGELOG.md",
      "docs/STREAMING_PERFORMANCE.md",
      "packages/core/src/generator.ts",
    ];
    const texts = await Promise.all(marked.map((path) => readFile(join(root, path), "utf8")));
    const asked = new Set(
      texts.flatMap((text) => [...text.matchAll(/<!-- sg:([\w-]+)/g)].map(([, name]) => name)),
    );
    expect([...figures.keys()].filter((name) => !asked.has(name))).toEqual([]);
  });

  it("say of each decision whether it holds", async () => {
    for (const path of documents.filter((name) => name.startsWith("docs/decisions/"))) {
      const [title, , state] = (await readFile(join(root, path), "utf8")).split("\n");
      expect(`${path}: ${title}`).toMatch(/: # \d+\. /);
      expect(`${path}: ${state}`).toMatch(/: (Holds\.|Holds, except |Superseded by )/);
    }
  });
});
