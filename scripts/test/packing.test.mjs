import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { documentedScripts, installedPackages, treeProblems } from "../pack/install-scripts.mjs";
import { parseNodeVersions } from "../pack/node-versions.mjs";
import { root } from "../pack/published-packages.mjs";
import { contentProblems, sourceMapProblems } from "../pack/tarballs.mjs";

const manifest = {
  name: "example",
  exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
  bin: { example: "./bin/example.js" },
};
const whole = [
  "LICENSE",
  "README.md",
  "package.json",
  "dist/index.d.ts",
  "dist/index.js",
  "bin/example.js",
];

describe("what a tarball contains", () => {
  it("is right when all is there and nothing else", () => {
    expect(contentProblems(manifest, whole)).toEqual([]);
  });

  it.each(whole)("must contain %s", (path) => {
    const others = whole.filter((candidate) => candidate !== path);
    expect(contentProblems(manifest, others).join()).toContain(`does not pack ${path}`);
  });

  it.each(["test/a.test.ts", "dist/a.spec.js", "tsconfig.json", "dist/.tsbuildinfo", "a.log"])(
    "must not contain %s",
    (path) => {
      expect(contentProblems(manifest, [...whole, path]).join()).toContain(`packs ${path}`);
    },
  );
});

describe("source maps", () => {
  it("bring their sources along, or point at what is packed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "streamgauge-maps-"));
    try {
      const write = (name, map) => writeFile(join(folder, name), JSON.stringify(map));
      await write("a.js.map", { sources: ["src/a.ts"] });
      await write("b.js.map", { sources: ["src/b.ts"] });
      await write("c.js.map", { sources: ["src/c.ts"], sourcesContent: ["const c = 1;"] });
      const paths = ["a.js.map", "b.js.map", "c.js.map", "src/a.ts"];
      expect(await sourceMapProblems(folder, paths)).toEqual([
        expect.stringContaining("b.js.map points at src/b.ts"),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("installed packages", () => {
  it("are found where npm and pnpm put them, once each, with what they run", async () => {
    const folder = await mkdtemp(join(tmpdir(), "streamgauge-tree-"));
    const write = async (path, content, file = "package.json") => {
      await mkdir(join(folder, "node_modules", path), { recursive: true });
      await writeFile(join(folder, "node_modules", path, file), JSON.stringify(content));
    };
    try {
      await write("plain", { name: "plain", version: "1.0.0", scripts: { prepare: "tsc" } });
      await write("@a/nested/node_modules/plain", { name: "plain", version: "2.0.0" });
      await write("@a/nested", { name: "@a/nested", version: "1.0.0", scripts: { install: "x" } });
      await write("native", { name: "native", version: "1.0.0" });
      await write("native", {}, "binding.gyp");
      await write(".pnpm/b@1.0.0/node_modules/b", { name: "b", version: "1.0.0" });
      const stored = join(folder, "node_modules/.pnpm/b@1.0.0/node_modules/b");
      await symlink(stored, join(folder, "node_modules/b"), "junction");

      const found = await installedPackages(folder);
      expect(found.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual([
        "@a/nested@1.0.0",
        "b@1.0.0",
        "native@1.0.0",
        "plain@1.0.0",
        "plain@2.0.0",
      ]);
      expect(found.filter(({ script }) => script !== undefined)).toEqual([
        { name: "@a/nested", version: "1.0.0", script: "install: x", node: undefined },
        { name: "native", version: "1.0.0", script: "install: node-gyp rebuild", node: undefined },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("run documented scripts only, and are there as often as expected", () => {
    const one = { name: "one", version: "1.0.0", script: "install: x" };
    const two = { name: "two", version: "1.0.0", script: undefined };
    const expected = { documented: ["one"], copies: { two: 1 } };
    expect(treeProblems([one, two], expected)).toEqual([]);
    expect(treeProblems([two], expected)).toEqual([expect.stringContaining("one runs no install")]);
    expect(treeProblems([one, two, { ...two, version: "2.0.0" }], expected)).toEqual([
      "two is installed 2 times (1.0.0, 2.0.0), not 1.",
    ]);
    expect(treeProblems([one, { ...two, script: "install: y" }], expected)).toEqual([
      expect.stringContaining('two runs "install: y"'),
    ]);
    const newer = { ...two, node: ">=22" };
    const either = { ...one, node: "18 || 20 || >=22" };
    expect(treeProblems([either, newer], { ...expected, node: "20.19.0" })).toEqual([
      "two 1.0.0 needs Node >=22; ours promise to run on 20.19.0.",
    ]);
  });
});

describe("the workspace", () => {
  it("ignores install scripts that are documented, and no others", async () => {
    const settings = parse(await readFile(join(root, "pnpm-workspace.yaml"), "utf8"));
    const documented = (await documentedScripts()).map(({ name }) => name);
    expect(documented).toContain("onnxruntime-node");
    expect(documented).toEqual(expect.arrayContaining(settings.ignoredBuiltDependencies));
  });

  it("has one onnxruntime-common", async () => {
    const { packages } = parse(await readFile(join(root, "pnpm-lock.yaml"), "utf8"));
    const copies = Object.keys(packages).filter((name) => name.startsWith("onnxruntime-common@"));
    expect(copies).toHaveLength(1);
  });
});

describe("parseNodeVersions", () => {
  it("takes major versions from 20 on, and nothing else", () => {
    expect(parseNodeVersions("20,26")).toEqual([20, 26]);
    for (const list of ["18", "20,", "lts", "22.5"])
      expect(() => parseNodeVersions(list)).toThrow("major versions");
  });
});
