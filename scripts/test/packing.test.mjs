import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNodeVersions } from "../pack/node-versions.mjs";
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

describe("parseNodeVersions", () => {
  it("takes major versions from 20 on, and nothing else", () => {
    expect(parseNodeVersions("20,26")).toEqual([20, 26]);
    for (const list of ["18", "20,", "lts", "22.5"])
      expect(() => parseNodeVersions(list)).toThrow("major versions");
  });
});
