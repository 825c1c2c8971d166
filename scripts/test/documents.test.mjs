import { readFile, readdir } from "node:fs/promises";
import { join, posix } from "node:path";
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

function withoutCode(text) {
  return text.replaceAll(/^```[^]*?^```$/gm, "");
}

/** Targets of links and pictures inside of the repository. */
function linksIn(text) {
  return [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
    .map(([, link, source]) => link ?? source)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The headings of a document, or of the README of a folder, as a link names them. */
async function headingsOf(path) {
  const file = path.endsWith(".md") ? path : posix.join(path, "README.md");
  const text = withoutCode(await readFile(join(root, file), "utf8"));
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slugOf(heading)));
}

/** As GitHub makes it. */
function slugOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}_ -]/gu, "")
    .replaceAll(" ", "-");
}

describe("documents", () => {
  it.each(documents)("%s names files that exist", async (document) => {
    const text = await readFile(join(root, document), "utf8");
    const missing = pathsIn(text).filter((path) => !ends.has(path.replace(/\/$/, "")));
    expect(missing).toEqual([]);
  });

  it.each(documents)("%s links to files and headings that exist", async (document) => {
    const text = withoutCode(await readFile(join(root, document), "utf8"));
    const broken = [];
    for (const target of linksIn(text)) {
      const [path, heading] = target.split("#");
      const file = path === "" ? document : posix.join(posix.dirname(document), path);
      if (file !== "." && !paths.includes(file.replace(/\/$/, ""))) broken.push(target);
      else if (heading !== undefined && !(await headingsOf(file)).has(heading)) broken.push(target);
    }
    expect(broken).toEqual([]);
  });

  it("are in the index once each", async () => {
    const index = withoutCode(await readFile(join(root, "docs/README.md"), "utf8"));
    const listed = linksIn(index).map((target) => posix.join("docs", target.split("#")[0]));
    const pages = paths.filter(
      (path) =>
        /^(docs\/[^/]+|packages\/[^/]+\/README|examples\/[^/]+\/README|[^/]+)\.md$/.test(path) &&
        path !== "docs/README.md",
    );
    const counts = pages.map((page) => [page, listed.filter((path) => path === page).length]);
    expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
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
