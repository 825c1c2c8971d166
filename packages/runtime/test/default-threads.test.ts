import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createInlineGenerator,
  createRuntime,
  embeddedModel,
  pacedModel,
  type RuntimeOptions,
} from "@streamgauge/runtime";
import { readGraphSummary } from "@streamgauge/runtime/onnx";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { readStepWeights } from "../src/onnx/step-weights.js";
import { keepTimings } from "../src/threads/kept-timings.js";
import { machineClass } from "../src/threads/machine-class.js";
import { usableCores } from "../src/threads/usable-cores.js";
import { temporaryFolder } from "./temporary-folder.js";

let cache: string;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("STREAMGAUGE_CACHE_DIR", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const cores = usableCores();

async function filesInCache(): Promise<string[]> {
  return (await readdir(cache, { recursive: true })).filter((name) => name.endsWith(".json"));
}

/** What a runtime says of its threads. */
async function threadsOf(options: RuntimeOptions = {}) {
  await using runtime = await createRuntime(options);
  const { threads, spinning, spinMicroseconds, reasons, stepWeights } = runtime.describe();
  const { ids } = await runtime.generate("It is not", { maxTokens: 3, ignoreEos: true });
  expect(ids).toHaveLength(3);
  return { threads, spinning, spinMicroseconds, reasons, stepWeights };
}

/** Keeps times of the embedded model in which these settings are by far the fastest. */
async function keepAsFastest(
  fastest: { threads: number; spinMicroseconds: number },
  workers = 1,
): Promise<void> {
  const file = join(embeddedModel, "onnx", "model.onnx");
  const graph = await readLeanModel(file);
  const { shapeHash = "" } = readStepWeights(graph, readGraphSummary(graph, file)) ?? {};
  const timings = [1, 2].flatMap((threads) =>
    (threads === 1 ? [0] : [5]).map((spinMicroseconds) => ({
      threads,
      spinMicroseconds,
      microseconds:
        threads === fastest.threads && spinMicroseconds === fastest.spinMicroseconds ? 100 : 1000,
    })),
  );
  const key = { ...machineClass(cores), shapeHash, workers };
  await keepTimings(cache, key, { source: "loading", timings });
}

describe("threads that nobody chose", () => {
  it("are those of the rule in these tests, which leave the cache alone", async () => {
    const { threads, reasons, stepWeights } = await threadsOf();
    expect(threads).toBeLessThanOrEqual(cores);
    expect(reasons.threads).toMatch(
      /^by rule: a step reads 21 matrices of 15 MB in all; \d+ cores?, 1 worker$/,
    );
    expect(stepWeights).toMatchObject({ bytes: 14_680_064, matrices: 21, bits: 32 });
    expect(await filesInCache()).toEqual([]);
  });

  it.skipIf(cores < 2)("are measured while the model loads, and that is kept", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    const first = await threadsOf();
    // Beside other work a measurement is given up, and nothing is kept.
    if (!first.reasons.threads?.startsWith("measured while loading")) {
      expect(first.reasons.threads).toMatch(/^by rule: .*; a measurement was /);
      expect(await filesInCache()).toEqual([]);
      return;
    }
    const [file = ""] = await filesInCache();
    const text = await readFile(join(cache, file), "utf8");
    expect(text).not.toContain(embeddedModel);
    const second = await threadsOf();
    expect(second).toMatchObject({ threads: first.threads, spinning: first.spinning });
    expect(second.reasons.threads).toMatch(/^measured at a first loading/);
    expect(await readFile(join(cache, file), "utf8")).toBe(text);
  });

  it.skipIf(cores < 2)("are those that were kept, with every way to open a model", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    for (const kept of [
      { threads: 1, spinMicroseconds: 0 },
      { threads: 2, spinMicroseconds: 5 },
    ]) {
      await keepAsFastest(kept);
      expect(await threadsOf()).toMatchObject({ ...kept, spinning: kept.spinMicroseconds > 0 });
      expect(await threadsOf({ tuning: "measure" })).toMatchObject(kept);
      await using inline = await createInlineGenerator();
      expect(inline.describe()).toMatchObject(kept);
      expect(inline.describe().reasons.threads).toMatch(/^measured at a first loading/);
    }
    expect(await filesInCache()).toHaveLength(1);
  });

  it.skipIf(cores < 2)("are the rule's where the cache is damaged or cannot be used", async () => {
    await keepAsFastest({ threads: 1, spinMicroseconds: 0 });
    const [file = ""] = await filesInCache();
    await writeFile(join(cache, file), "{");
    vi.stubEnv("STREAMGAUGE_TUNING", "measure");
    expect((await threadsOf()).reasons.threads).toMatch(/^(by rule|measured while loading)/);
    expect(await readFile(join(cache, file), "utf8")).toBe("{");
    const blocked = join(cache, "blocked");
    await writeFile(blocked, "");
    vi.stubEnv("STREAMGAUGE_TUNING", "keep");
    vi.stubEnv("STREAMGAUGE_CACHE_DIR", blocked);
    expect((await threadsOf()).reasons.threads).toMatch(/^(by rule|measured while loading)/);
  });

  it("give way to options, which describe() says", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    await keepAsFastest({ threads: 1, spinMicroseconds: 0 });
    const chosen = { threads: 2, spinMicroseconds: 20 };
    const both = await threadsOf(chosen);
    expect(both).toMatchObject({ ...chosen, spinning: true });
    expect(both.reasons).toMatchObject({
      threads: "the option threads says so",
      spinning: "the option spinMicroseconds says so",
    });
    const sleeping = await threadsOf({ threads: 2, spinMicroseconds: 0 });
    expect(sleeping).toMatchObject({ threads: 2, spinning: false, spinMicroseconds: 0 });
    expect(await threadsOf({ threads: 3, tuning: "rule" })).toMatchObject({ threads: 3 });
  });

  it("are not measured where several workers load", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    await using runtime = await createRuntime({ workers: 2 });
    const { threads, reasons } = runtime.describe();
    expect(threads).toBeLessThanOrEqual(cores);
    expect(reasons.threads).toMatch(/^by rule: .* 2 workers/);
    expect(await filesInCache()).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      "spinning for ever",
      { spinMicroseconds: 1e6 },
      /spinMicroseconds is 1000000; it must be an integer from 0 to 10000/,
    ],
    ["half a microsecond", { spinMicroseconds: 0.5 }, /spinMicroseconds is 0.5/],
    [
      "another way to choose",
      { tuning: "guess" },
      /tuning is "guess"; it must be one of keep, measure, rule/,
    ],
    [
      "spinning of the paced model",
      { model: pacedModel({ stepMicroseconds: 0 }), spinMicroseconds: 5 },
      /leave spinMicroseconds out/,
    ],
    [
      "tuning of the paced model",
      { model: pacedModel({ stepMicroseconds: 0 }), tuning: "rule" },
      /leave tuning out/,
    ],
  ])("refuse %s", async (_, options, message) => {
    for (const open of [createRuntime, createInlineGenerator]) {
      await expect(open(options)).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringMatching(message) as string,
      });
    }
  });

  it("refuse an environment that says something else", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", "off");
    await expect(createRuntime()).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message:
        'The environment variable STREAMGAUGE_TUNING is "off"; it must be one of keep, measure, rule.',
    });
  });
});
