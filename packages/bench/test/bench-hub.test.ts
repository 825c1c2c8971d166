import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findChosenModel } from "../src/plan/chosen-model.js";
import { promptFor } from "../src/plan/prompts.js";
import type { BenchOptions, BenchOutcome } from "../src/run/bench-options.js";
import { readRecordFile } from "../src/run/read-record.js";
import { runBench } from "../src/run/run-bench.js";
import { nextStep } from "../src/summary/next-step.js";
import { inTemporaryFolder } from "./example-record.js";
import { makeHubCache, type HubCache } from "./hub-cache.js";

const name = "owner/tiny";
const [firstCommit, secondCommit] = ["1".repeat(40), "2".repeat(40)];
let cache: HubCache;

beforeEach(async () => {
  cache = await makeHubCache();
});
afterEach(() => void vi.unstubAllEnvs());

/** A cell of ten tokens, in this process. */
async function bench(options: BenchOptions): Promise<BenchOutcome> {
  const size = { scenarios: ["model"], tokens: [10], blocks: 2, seed: 1, claims: [] };
  return await runBench({
    ...(options.resume === undefined && { preset: "one-process", ...size }),
    ...options,
  });
}

describe("a model of a hub", () => {
  it("is measured by its name, which the record has as it was given, with its commit", async () => {
    await cache.add(name, firstCommit, { revision: "v1" });
    await inTemporaryFolder(async (outputFolder) => {
      const model = `hub:${name}@v1`;
      const { record, path } = await bench({ model, outputFolder });
      expect(record.status).toBe("complete");
      expect(record.plan).toMatchObject({ model, modelCommit: firstCommit });
      expect(record.cells).toMatchObject([
        { id: "owner-tiny-v1-pooled-10", model: `${name}@v1`, status: "complete" },
      ]);
      expect(record.generators).toMatchObject([
        { model: `${name}@v1`, description: { model: name, dtype: "fp32" } },
      ]);
      expect(await readRecordFile(path)).toEqual(record);
      // Where it lies on this machine is nobody's business.
      expect(JSON.stringify(record)).not.toContain(cache.folder);
    });
  });

  it("is measured as the graph that was asked for", async () => {
    await cache.add(name, firstCommit, { dtypes: ["q4"] });
    await inTemporaryFolder(async (outputFolder) => {
      const { record } = await bench({ model: `hub:${name}`, dtype: "q4", outputFolder });
      expect(record.plan).toMatchObject({ model: `hub:${name}`, dtype: "q4" });
      expect(record.cells).toMatchObject([{ id: "owner-tiny-q4-pooled-10", model: `${name} q4` }]);
      expect(record.generators).toMatchObject([{ description: { dtype: "q4" } }]);
      const place = { recordPath: "r", folder: "f", benchCommand: "b", reportCommand: "r" };
      const complete = { ...record, profile: "quick" };
      expect(nextStep(complete, [], null, place).command).toContain(
        `--model hub:${name} --dtype q4`,
      );
    });
  });

  it("stays the commit that it was, also where a run goes on after another was pulled", async () => {
    await cache.add(name, firstCommit, { vocabularySize: 96 });
    await inTemporaryFolder(async (outputFolder) => {
      const controller = new AbortController();
      await bench({
        model: `hub:${name}`,
        outputFolder,
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === "warm-up") controller.abort();
        },
      });
      await cache.add(name, secondCommit, { vocabularySize: 128 });
      const { record } = await bench({ resume: outputFolder });
      expect(record.status).toBe("complete");
      expect(record.plan).toMatchObject({ model: `hub:${name}`, modelCommit: firstCommit });
      expect(record.generators).toMatchObject([{ description: { vocabularySize: 96 } }]);
      expect(record.cells).toMatchObject([{ id: "owner-tiny-pooled-10", status: "complete" }]);
    });
  });

  it.each<[string, BenchOptions, string, RegExp]>([
    [
      "was not pulled",
      { model: "hub:owner/other@v2" },
      "MODEL_NOT_FOUND",
      /owner\/other at v2 is not in .*`streamgauge pull owner\/other --revision v2`/s,
    ],
    ["has no name", { model: "hub:../tiny" }, "INVALID_OPTION", /is no model's name on a hub/],
    ["is a path that leads nowhere", { model: "no/such" }, "MODEL_NOT_FOUND", /"no\/such".*hub:/],
    ["is embedded, and has a dtype", { dtype: "q4" }, "INVALID_OPTION", /dtype is "q4", and/],
    ["is a size, and has a dtype", { model: "15M", dtype: "q4" }, "INVALID_OPTION", /give the fo/],
  ])("is refused before anything is opened, where it %s", async (_, options, code, message) => {
    await inTemporaryFolder(async (folder) => {
      const outputFolder = join(folder, "out");
      const openGenerator = vi.fn<NonNullable<BenchOptions["openGenerator"]>>();
      await expect(bench({ ...options, outputFolder, openGenerator })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message) as string,
      });
      expect(openGenerator).not.toHaveBeenCalled();
      expect(existsSync(outputFolder)).toBe(false);
    });
  });

  it("is asked for again where its run goes on and its files are gone", async () => {
    await cache.add(name, firstCommit);
    await inTemporaryFolder(async (outputFolder) => {
      const controller = new AbortController();
      const onProgress = (): void => controller.abort();
      await bench({ model: `hub:${name}`, outputFolder, signal: controller.signal, onProgress });
      vi.stubEnv("HF_HUB_CACHE", join(cache.folder, "elsewhere"));
      await expect(bench({ resume: outputFolder })).rejects.toMatchObject({
        code: "MODEL_NOT_FOUND",
        message: expect.stringContaining(
          `\`streamgauge pull ${name} --revision ${firstCommit}\``,
        ) as string,
      });
    });
  });

  it("has a text as its prompt where it has a tokenizer, and ids elsewhere", async () => {
    const folder = await cache.add(name, firstCommit);
    const plan = { id: "test", engine: "onnx", model: name, host: "inline" };
    const prompt = async () => {
      const found = await findChosenModel({ model: `hub:${name}` });
      return promptFor({ ...plan, modelFolder: found?.folder ?? "" });
    };
    expect(await prompt()).toBeInstanceOf(Array);
    await writeFile(join(folder, "tokenizer.json"), "{}");
    expect(await prompt()).toBeTypeOf("string");
  });
});
