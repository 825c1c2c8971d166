import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineDescription } from "@streamgauge/runtime";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { measureInTurns } from "../src/measure/turns.js";
import { systemClock } from "../src/plan/clock.js";
import type { GeneratorPlan } from "../src/plan/generator-plan.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { promptFor } from "../src/plan/prompts.js";
import { modelCacheFolder, randomModel } from "../src/plan/random-model.js";
import { treatments } from "../src/record/index.js";

const plan: GeneratorPlan = { id: "test", engine: "onnx", model: "pequod", host: "inline" };

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("openGenerator", () => {
  it("refuses an engine that the runtime does not have, with the remedy", async () => {
    await expect(openGenerator({ ...plan, engine: "http" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/no engine "http".*"onnx" or "paced".*`open`/) as string,
    });
  });

  it("refuses a model that is none, with the remedy", async () => {
    await expect(openGenerator({ ...plan, model: "150M" })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringMatching(/"150M".*"pequod".*15M, 42M, 135M/) as string,
    });
  });

  it("hands the ring and the workers on, and their diagnostics back", async () => {
    const ring = { capacity: 32, publishBatch: 4, ledger: true };
    const paced = { ...plan, engine: "paced", host: "pooled", workers: 2, ring };
    const generator = await openGenerator(paced);
    try {
      expect(generator.describe()).toMatchObject({ workers: 2, ring });
      const timeline = await generator.diagnostics?.("timeline");
      const reports = (await timeline?.stop()) ?? [];
      expect(reports.map(({ thread }) => thread)).toEqual(["worker 0", "worker 1"]);
    } finally {
      await generator.close();
    }
  });

  it("lets the runs of a block take turns where the plan asks for gates", async () => {
    const generator = await openGenerator({ ...plan, host: "pooled", gated: true });
    try {
      const config = { maxTokens: 40, ignoreEos: true, temperature: 0, seed: 1 };
      const takers = treatments.map((treatment) => ({ treatment, generator }));
      const turns = { clock: systemClock, sliceTokens: 10, signal: undefined };
      const runs = (await measureInTurns(takers, { prompt: "Call me", config }, turns)) ?? [];
      const { ids } = await generator.generate("Call me", config);
      expect(runs.map(({ results }) => results.map((result) => result.ids))).toEqual(
        treatments.map(() => [ids]),
      );
      expect(runs.map(({ delivered }) => delivered)).toEqual(
        treatments.map((treatment) => [treatment.startsWith("stream") ? 40 : 0]),
      );
      for (const { endToEndNanoseconds, deliveredNanoseconds } of runs.map(({ raw }) => raw)) {
        const times = [0, ...deliveredNanoseconds, endToEndNanoseconds];
        expect(times).toEqual(times.toSorted((first, second) => first - second));
      }
    } finally {
      await generator.close();
    }
  });

  it("gives the threads of the rule to all, and leaves the user's cache alone", async () => {
    const cache = await temporaryFolder();
    vi.stubEnv("STREAMGAUGE_CACHE_DIR", cache);
    vi.stubEnv("STREAMGAUGE_TUNING", "keep");
    onTestFinished(() => void vi.unstubAllEnvs());
    const descriptions: unknown[] = [];
    for (const host of ["inline", "pooled"] as const) {
      const generator = await openGenerator({ ...plan, host });
      const { threads, spinMicroseconds, reasons } = generator.describe() as EngineDescription;
      await generator.close();
      expect(reasons.threads).toMatch(/^by rule: /);
      descriptions.push({ threads, spinMicroseconds });
    }
    expect(descriptions[1]).toEqual(descriptions[0]);
    expect(await readdir(cache)).toEqual([]);
  });

  it("opens a size: random weights, built once, fed with ids", async () => {
    const cacheFolder = await temporaryFolder();
    const sized = { ...plan, model: "15M" };
    const progress: number[] = [];
    const options = {
      cacheFolder,
      onProgress: ({ writtenBytes, totalBytes }: { writtenBytes: number; totalBytes: number }) =>
        void progress.push(writtenBytes / totalBytes),
    };
    const generator = await openGenerator(sized, options);
    const { ids } = await generator.generate(promptFor(sized), { maxTokens: 3 });
    await generator.close();
    expect(ids).toHaveLength(3);
    expect(progress).toEqual(progress.toSorted((first, second) => first - second));
    expect(progress.at(-1)).toBe(1);

    const builds = progress.length;
    const again = await randomModel("15M", options);
    expect(progress).toHaveLength(builds);
    expect(await readdir(again)).toContain("config.json");
  });
});

describe("randomModel", () => {
  it("builds for two at once, and leaves one model and no scraps", async () => {
    const cacheFolder = await temporaryFolder();
    const [first, second] = await Promise.all([
      randomModel("15M", { cacheFolder }),
      randomModel("15M", { cacheFolder }),
    ]);
    expect(first).toBe(second);
    expect(await readdir(cacheFolder)).toHaveLength(1);
  });

  it("leaves nothing behind when it is stopped", async () => {
    const cacheFolder = await temporaryFolder();
    const onProgress = (): never => {
      throw new Error("enough");
    };
    await expect(randomModel("15M", { cacheFolder, onProgress })).rejects.toThrow("enough");
    expect(await readdir(cacheFolder)).toEqual([]);
  });
});

describe("modelCacheFolder", () => {
  it("is in the nearest package around", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "package.json"), "{}");
    expect(modelCacheFolder(join(root, "deep", "down"))).toBe(
      join(root, "node_modules", ".cache", "streamgauge", "models"),
    );
  });
});

describe("promptFor", () => {
  it("is text where there is a tokenizer, and ids elsewhere", async () => {
    const folder = await temporaryFolder();
    expect(promptFor(plan)).toBeTypeOf("string");
    expect(promptFor({ ...plan, engine: "http", model: "any" })).toBeTypeOf("string");
    for (const ids of [{ engine: "paced" }, { model: "42M" }, { modelFolder: folder }]) {
      expect(promptFor({ ...plan, ...ids })).toBeInstanceOf(Array);
    }
    await writeFile(join(folder, "tokenizer.json"), "{}");
    expect(promptFor({ ...plan, modelFolder: folder })).toBeTypeOf("string");
  });
});
