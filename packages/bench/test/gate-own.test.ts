import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { gateCommentMarker } from "@streamgauge/bench/gate";
import { installLocked } from "../src/gate/package-managers.js";
import { prepareVersion } from "../src/gate/version.js";
import { inTemporaryFolder } from "./example-record.js";
import { streamgaugeIn } from "./streamgauge.js";

const run = promisify(execFile);
const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** A module of scenarios, as somebody's repository would have it. */
const source = `
import { readFile } from "node:fs/promises";
import { createGenerator, createTokenQueue } from ${url("../../core/dist/index.js")};
import { defineScenario } from ${url("../dist/index.js")};
// Of the version's own folder.
const first = Number(await readFile("first-id.txt", "utf8"));
const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
const summary = { finishReason: "length", promptTokens: 1, timings };
const idsOf = ({ maxTokens }) => Array.from({ length: maxTokens }, (_, index) => first + index);
const usageOf = ({ maxTokens }) => ({ promptTokens: 1, completionTokens: maxTokens });
const open = () =>
  createGenerator({
    collect: ({ config }) => ({
      stop: () => undefined,
      finished: Promise.resolve({
        ...summary, ids: idsOf(config), text: "", logprobs: undefined, usage: usageOf(config),
      }),
    }),
    stream: ({ config }) =>
      createTokenQueue(async (sink) => {
        for (const [index, id] of idsOf(config).entries())
          sink.push({ index, id, text: "", endOfSequence: false });
        return summary;
      }, Infinity).source,
  });
export const toy = defineScenario({ name: "toy", prompt: [1], open, config: { temperature: 0 } });
export const other = defineScenario({ name: "other", prompt: [1], open });
`;

const lock = { name: "toy", lockfileVersion: 3, requires: true, packages: { "": { name: "toy" } } };

async function writeVersion(folder: string, firstId: number): Promise<void> {
  await mkdir(join(folder, "bench"), { recursive: true });
  await writeFile(join(folder, "bench", "toy.bench.mjs"), source);
  await writeFile(join(folder, "first-id.txt"), String(firstId));
  const scripts = { prepare: 'node -e "process.exit(0)"' };
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "toy", scripts }));
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
}

async function commit(folder: string): Promise<string> {
  const git = async (...args: string[]) =>
    (await run("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: folder }))
      .stdout;
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "A version");
  return (await git("rev-parse", "HEAD")).trim();
}

const module = "bench/toy.bench.mjs";

describe("a gate on a repository of one's own", () => {
  it("installs a ref by its lock file, compares it with a folder, and writes the comment", async () => {
    await inTemporaryFolder(async (folder) => {
      await writeVersion(folder, 1);
      const base = await commit(folder);
      await writeFile(join(folder, "first-id.txt"), "2");
      const flags = ["--base", base, "--head", ".", "--blocks", "2", "--summary", "gate.md"];
      const own = ["--module", `./${module}`, "--scenario", "toy", "--tokens", "4"];
      const { code, stdout, stderr } = await streamgaugeIn(folder, "gate", ...flags, ...own);
      expect([code, stderr]).toEqual([
        expect.toBeOneOf([0, 1, 2]),
        expect.stringContaining("installing"),
      ]);
      expect(stdout).toContain("on toy of bench");
      // Each version has read its own file.
      expect(stdout).toContain("The versions made different tokens");
      const comment = await readFile(join(folder, "gate.md"), "utf8");
      expect(comment.split("\n")[0]).toBe(gateCommentMarker);
      expect(comment).toContain(base.slice(0, 9));
      const { stdout: trees } = await run("git", ["worktree", "list"], { cwd: folder });
      expect(trees.trim().split("\n")).toHaveLength(1);
    });
  });

  it.each([
    [["--base", ".", "--module", module], /several scenarios: name one of other, toy/],
    [["--base", ".", "--module", module, "--scenario", "x"], /no scenario "x". It has other, toy/],
    [
      ["--base", ".", "--module", "bench/none.mjs"],
      /none\.mjs is not in \.: both versions need it/,
    ],
    [["--base", ".", "--module", "../x.mjs"], /path from the root/],
    [
      ["--base", ".", "--module", module, "--engine", "paced"],
      /--engine and --step choose our engines/,
    ],
    [["--base", ".", "--tokens", "4"], /--tokens is about scenarios of your own/],
    [["--self-test", "--module", module], /leave out --module/],
  ])("refuses %j", async (flags, message) => {
    await inTemporaryFolder(async (folder) => {
      await writeVersion(folder, 1);
      const { code, stderr } = await streamgaugeIn(folder, "gate", ...flags);
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    });
  });
});

describe("a lock file", () => {
  it.skipIf(process.platform === "win32").each([
    ["pnpm-lock.yaml", "", "pnpm install --frozen-lockfile --prefer-offline\npnpm run build\n"],
    ["package-lock.json", "{}", "npm ci --prefer-offline --no-audit --no-fund\nnpm run build\n"],
    ["yarn.lock", "# yarn lockfile v1\n", "yarn install --frozen-lockfile\nyarn run build\n"],
    ["yarn.lock", "__metadata:\n  version: 8\n", "yarn install --immutable\nyarn run build\n"],
  ])("says which program installs: %s", async (name, content, expected) => {
    await inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, "packages", "engine"), { recursive: true });
      await writeFile(join(folder, name), content);
      for (const program of ["npm", "pnpm", "yarn"]) {
        const path = join(folder, program);
        await writeFile(path, `#!/bin/sh\necho ${program} "$@" >> "${folder}/calls.txt"\n`);
        await chmod(path, 0o755);
      }
      vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
      await installLocked(folder, { module: "packages/engine/a.mjs", script: "build" }, undefined);
      vi.unstubAllEnvs();
      expect(await readFile(join(folder, "calls.txt"), "utf8")).toBe(expected);
    });
  });

  it("is needed for a ref", async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "a.mjs"), "");
      const ref = await commit(folder);
      const prepared = prepareVersion(ref, {
        repository: folder,
        own: { module: "a.mjs" },
        onStep: () => undefined,
      });
      await expect(prepared).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining("no lock file of npm, pnpm or yarn"),
      });
    });
  });
});
