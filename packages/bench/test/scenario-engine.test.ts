import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildRandomModel, type LlamaShape } from "@streamgauge/runtime/onnx";
import { parseRecord, type EngineMeasurement } from "../src/record/index.js";
import { againstBareLoop } from "../src/scenarios/engine/against-bare-loop.js";
import { concurrentStreams } from "../src/scenarios/engine/concurrent-streams.js";
import { decodeSpeed } from "../src/scenarios/engine/decode-speed.js";
import {
  engineMeasurement,
  type Contender,
  type EngineMeasurementOptions,
} from "../src/scenarios/engine/engine-measurement.js";
import { drawPrompt, type FindEngineModel } from "../src/scenarios/engine/engine-model.js";
import { engine } from "../src/scenarios/engine/engine-scenario.js";
import { peakMemory } from "../src/scenarios/engine/peak-memory.js";
import { loading } from "../src/scenarios/engine/loading.js";
import { oneCoreBusy } from "../src/scenarios/engine/one-core-busy.js";
import { streamsBesideLlama } from "../src/scenarios/engine/streams-beside-llama.js";
import { firstToken } from "../src/scenarios/engine/first-token.js";
import type { MeasurementPlan } from "../src/plan/stage.js";
import { exampleEngine } from "./example-engine.js";
import { exampleRecord } from "./example-record.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

/** Models load in a moment, except on a machine that has others to run. */
const timeout = 120_000;

const shape: LlamaShape = {
  vocabularySize: 320,
  hiddenSize: 64,
  intermediateSize: 96,
  layers: 2,
  attentionHeads: 4,
  keyValueHeads: 2,
  headDimension: 16,
  contextLength: 128,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  tiedEmbeddings: true,
};

let folder: string;
const findModel: FindEngineModel = () =>
  Promise.resolve({
    folder: join(folder, "tiny"),
    vocabularySize: shape.vocabularySize,
    ggufFile: (dtype) =>
      Promise.resolve(
        join(folder, "gguf", `model-${{ fp32: "f32", q8: "q8_0", q4: "q4_0" }[dtype]}.gguf`),
      ),
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "streamgauge-engine-"));
  const dtypes = ["fp32", "q8", "q4"] as const;
  await buildRandomModel({ shape, seed: 7, out: join(folder, "tiny"), dtypes });
  await buildRandomModel({ shape, seed: 7, out: join(folder, "gguf"), dtypes, format: "gguf" });
}, timeout);
afterAll(() => rm(folder, { recursive: true, force: true }));

const generator = {
  ...createFakeGenerator({ clock: new ManualClock(), tokenNanoseconds: () => 1 }),
  describe: () => null,
  close: () => Promise.resolve(),
};

async function measure(
  plan: MeasurementPlan,
  signal?: AbortSignal,
): Promise<readonly EngineMeasurement[] | undefined> {
  return (await plan.measure(generator, measurementContext({ signal }))).engine;
}

const size = { warmUpBlocks: 1, blocks: 6, timeBudgetSeconds: 60, expectedSeconds: 1 };

/** Runs in no time, and takes as long as it says. */
function fake(name: string, value: number, ids: readonly number[] = [1, 2]): Contender {
  return { name, run: () => Promise.resolve({ value, ids }) };
}

function raceOf(
  contenders: readonly Contender[],
  options: Partial<EngineMeasurementOptions> = {},
): MeasurementPlan {
  return engineMeasurement({
    ...size,
    id: "tiny",
    title: "Tiny",
    unit: "ms per token",
    baselines: ["theirs"],
    claims: [
      {
        contender: "ours",
        against: "theirs",
        control: "theirs again",
        promise: "at least 2 times the tokens/s",
        limit: 0.5,
      },
    ],
    open: () => Promise.resolve({ contenders, terms: ["alike"] }),
    ...options,
  });
}

describe("engineMeasurement", () => {
  it.each([
    ["upheld", 4],
    ["refuted", 6],
  ])("judges a ratio: %s", async (verdict, value) => {
    const contenders = [fake("ours", value), fake("theirs", 10), fake("theirs again", 10)];
    const [measured] = (await measure(raceOf(contenders))) ?? [];
    expect(measured?.claims).toMatchObject([{ limit: 0.5, verdict }]);
    expect(measured?.blocks).toHaveLength(6);
    expect(measured?.contenders[0]).toMatchObject({
      contender: "ours",
      value,
      tokensPerSecond: 1000 / value,
      comparisons: [{ against: "theirs", smallestRatio: value / 10, largestRatio: value / 10 }],
    });
    const ratio = measured?.contenders[0]?.comparisons[0]?.ratio;
    expect(ratio?.hodgesLehmann.value).toBeCloseTo(value / 10, 12);
    const record = { ...(await exampleRecord()), engine: [measured] };
    expect(parseRecord(JSON.parse(JSON.stringify(record))).engine).toEqual([measured]);
  });

  it.each([
    ["inconclusive", 4, [5, 20], /leaves room for a factor of \d/],
    ["void", 4, [14, 14.1], /the baseline against itself is 1\.4\d+ .* which excludes 1/],
    ["upheld", 3, [14, 14.1], /leaves room for a factor of 1\.4/],
  ] as const)(
    "leaves room for what the other differs from itself by: %s",
    async (verdict, own, values, reason) => {
      let runs = 0;
      const again = {
        name: "theirs again",
        run: () => Promise.resolve({ value: values[(runs += 1) % 2] as number, ids: [1, 2] }),
      };
      const contenders = [fake("ours", own), fake("theirs", 10), again];
      const [measured] = (await measure(raceOf(contenders))) ?? [];
      expect(measured?.claims[0]?.verdict).toBe(verdict);
      expect(measured?.claims[0]?.reasons.join(" ")).toMatch(reason);
    },
  );

  it.each([
    ["upheld", [4, 4.5]],
    ["refuted", [6, 7]],
    ["inconclusive", [4, 7]],
  ] as const)("judges the range of a few runs: %s", async (verdict, values) => {
    let runs = 0;
    const ours = {
      name: "ours",
      run: () => Promise.resolve({ value: values[(runs += 1) % 2] as number }),
    };
    const claim = { contender: "ours", against: "theirs", control: null, promise: "", limit: 0.5 };
    const plan = raceOf([ours, fake("theirs", 10)], {
      blocks: 2,
      warmUpBlocks: 0,
      claims: [claim],
    });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.claims[0]?.verdict).toBe(verdict);
    expect(measured?.contenders[0]?.comparisons[0]).toMatchObject({
      ratio: null,
      smallestRatio: values[0] / 10,
      largestRatio: values[1] / 10,
    });
  });

  it.each([
    [[1, 3], /made other ids than \w+: (3 instead of 2|2 instead of 3) at 1/],
    [[1, 2, 3], /made other ids than \w+: (3 instead of 2\.|none instead of 3 at 2)/],
  ])("fails where one makes the ids %j", async (ids, message) => {
    await expect(measure(raceOf([fake("ours", 1), fake("theirs", 1, ids)]))).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
      message: expect.stringMatching(message) as string,
    });
  });

  it("compares with nobody who was left out, and claims nothing of them", async () => {
    const plan = raceOf([], {
      open: () =>
        Promise.resolve({
          contenders: [fake("ours", 1)],
          leftOut: ["theirs"],
          terms: ["theirs is left out."],
        }),
    });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.contenders).toMatchObject([{ contender: "ours", comparisons: [] }]);
    expect(measured?.claims).toEqual([]);
  });

  it("measures nothing once it is aborted, and closes what it has opened", async () => {
    let closed = 0;
    const plan = raceOf([fake("ours", 1)], {
      open: (_, keep) => {
        keep({ close: () => Promise.resolve(void (closed += 1)) });
        return Promise.resolve({ contenders: [fake("ours", 1)], terms: [] });
      },
    });
    expect(await measure(plan, AbortSignal.abort())).toBeUndefined();
    expect(closed).toBe(1);
  });

  it("closes all that it has opened, the last first, where a further one does not open", async () => {
    const closed: string[] = [];
    const plan = raceOf([], {
      open: (_, keep) => {
        for (const name of ["first", "second", "third"]) {
          keep({
            close: () => {
              closed.push(name);
              return name === "third" ? Promise.reject(new Error("stuck")) : Promise.resolve();
            },
          });
        }
        return Promise.reject(new Error("no fourth"));
      },
    });
    await expect(measure(plan)).rejects.toThrow("no fourth");
    expect(closed).toEqual(["third", "second", "first"]);
  });

  it("says what does not close", async () => {
    const plan = raceOf([fake("ours", 1)], {
      open: (_, keep) => {
        keep({ close: () => Promise.reject(new Error("stuck")) });
        return Promise.resolve({ contenders: [fake("ours", 1)], terms: [] });
      },
    });
    await expect(measure(plan, AbortSignal.abort())).rejects.toThrow("stuck");
  });
});

describe("the measurements, on a model of a few layers", { timeout }, () => {
  const few = { ...size, findModel, threads: 1, tokens: 6 };

  const rivals = ["transformers.js", "llama.cpp"] as const;

  it.each(["fp32", "q4"] as const)("decodes %s beside both rivals", async (dtype) => {
    const [measured] =
      (await measure(
        decodeSpeed({
          ...few,
          dtype,
          contextTokens: 40,
          rivals,
          leastSpeedups: { "transformers.js": 2, "llama.cpp": 1 },
        }),
      )) ?? [];
    expect(measured?.id).toBe(`decode-${dtype}-40`);
    expect(measured?.contenders.map(({ contender }) => contender)).toEqual([
      "streamgauge",
      "transformers.js",
      "transformers.js again",
      "llama.cpp",
      "llama.cpp again",
    ]);
    expect(measured?.contenders.every(({ value }) => value > 0)).toBe(true);
    expect(measured?.contenders[0]?.comparisons.map(({ against }) => against)).toEqual(rivals);
    expect(measured?.claims).toMatchObject([
      { against: "transformers.js", limit: 0.5, control: "transformers.js again" },
      {
        against: "llama.cpp",
        limit: 1,
        control: "llama.cpp again",
        promise: "at least as many tokens/s",
      },
    ]);
    expect(measured?.terms.join(" ")).toMatch(/onnxruntime-node 1\.\d+.*transformers 4\./);
    expect(measured?.terms.join(" ")).toMatch(/node-llama-cpp 3\.\d+.*\(llama\.cpp /);
  });

  it("runs a rival once where nothing is claimed", async () => {
    const plan = decodeSpeed({ ...few, dtype: "q8", contextTokens: 9, rivals: ["llama.cpp"] });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.contenders.map(({ contender }) => contender)).toEqual([
      "streamgauge",
      "llama.cpp",
    ]);
    expect(measured?.claims).toEqual([]);
  });

  it("decodes with each engine's defaults, and claims nothing of them", async () => {
    const plan = decodeSpeed({
      ...few,
      dtype: "fp32",
      contextTokens: 8,
      threads: undefined,
      rivals: ["transformers.js"],
    });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.id).toBe("decode-fp32-8-defaults");
    expect(measured?.claims).toEqual([]);
  });

  it("decodes with and without a busy core, each engine against itself", async () => {
    const plan = oneCoreBusy({ ...few, dtype: "q4", contextTokens: 8 });
    const [measured] = (await measure(plan)) ?? [];
    const names = ["streamgauge", ...rivals];
    expect(measured?.contenders.map(({ contender }) => contender)).toEqual(
      names.flatMap((name) => [name, `${name}, a core busy`]),
    );
    const busy = measured?.contenders.at(-1);
    expect(busy?.comparisons.map(({ against }) => against)).toEqual(names);
  });

  it.each([1, undefined])("runs streams beside llama.cpp; promised: %s", async (promised) => {
    const plan = streamsBesideLlama({
      ...few,
      dtype: "q4",
      streams: 3,
      promptTokens: 4,
      ...(promised !== undefined && { leastSpeedup: promised }),
    });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.id).toBe("streams-3-q4-llama");
    expect(measured?.contenders).toHaveLength(promised === undefined ? 2 : 3);
    expect(measured?.claims).toHaveLength(promised === undefined ? 0 : 1);
    for (const { interTokenLatency: gaps } of measured?.contenders ?? []) {
      expect(gaps?.count).toBe(6 * 3 * 5);
    }
  });

  it("makes the ids of a bare loop, also beyond the first rows of the cache", async () => {
    const [measured] = (await measure(againstBareLoop({ ...few, promptTokens: 20 }))) ?? [];
    expect(measured?.claims).toMatchObject([{ contender: "generate()", limit: 1.03 }]);
    expect(measured?.terms.join(" ")).toContain("32 rows of cache");
  });

  it("makes the first token of a prompt, with and without a control", async () => {
    for (const hasControl of [true, false]) {
      const plan = firstToken({ ...few, dtype: "fp32", promptTokens: 70, rivals, hasControl });
      const [measured] = (await measure(plan)) ?? [];
      expect(measured?.id).toBe("first-token-70");
      expect(measured?.contenders).toHaveLength(hasControl ? 4 : 3);
      expect(measured?.claims[0]?.control).toBe(hasControl ? "transformers.js again" : null);
    }
  });

  it("measures the peak of three fresh processes", async () => {
    const once = { ...few, blocks: 1, warmUpBlocks: 0 };
    const plan = peakMemory({ ...once, dtype: "fp32", contextTokens: 20 });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured).toMatchObject({ unit: "MiB", blocks: [{ runs: [{}, {}, {}] }] });
    // Node by itself, and no more than Node, onnxruntime and a tiny model.
    for (const { value } of measured?.contenders ?? []) {
      expect(value).toBeGreaterThan(30);
      expect(value).toBeLessThan(2000);
    }
    expect(measured?.claims).toMatchObject([{ control: null, limit: 0.5 }]);
  });

  it("says what loading takes, stage by stage, and what a second worker holds", async () => {
    const plan = loading({ dtype: "fp32", threads: 1, expectedSeconds: 1, findModel });
    const [times, resident] = (await measure(plan)) ?? [];
    expect(times?.contenders.map(({ contender }) => contender)).toEqual([
      "starting the worker",
      "reading",
      "preparing",
      "warming up",
      "one worker, in all",
      "two workers, in all",
    ]);
    const [one, two, second] = resident?.contenders.map(({ value }) => value) ?? [];
    expect(second).toBeCloseTo((two as number) - (one as number), 9);
  });

  it("ends a process that is aborted", async () => {
    const plan = loading({ dtype: "fp32", threads: 1, expectedSeconds: 1, findModel });
    await expect(measure(plan, AbortSignal.abort())).rejects.toMatchObject({
      code: "PROCESS_FAILED",
    });
  });

  it("runs streams at once and in turn, with the same ids and every gap", async () => {
    const plan = concurrentStreams({ ...few, streams: 3, promptTokens: 4, leastSpeedup: 2 });
    const [measured] = (await measure(plan)) ?? [];
    expect(measured?.contenders.map(({ interTokenLatency }) => interTokenLatency?.count)).toEqual([
      6 * 3 * 5,
      6 * 3 * 5,
      6 * 3 * 5,
    ]);
    expect(measured?.claims).toMatchObject([{ contender: "at once", limit: 0.5 }]);
  });
});

describe("the scenario", () => {
  it("asks what was promised, in every size", () => {
    for (const runSize of ["quick", "standard", "full"] as const) {
      const [stage, ...others] = engine.stages(runSize);
      expect(others).toEqual([]);
      expect(stage?.generator.id).toBe("engine");
      expect(stage?.measurements.map(({ id }) => id)).toEqual([
        "loading-fp32",
        "loading-q4",
        "peak-memory-q4-4096",
        "peak-memory-fp32-4096",
        ...["q4", "fp32"].flatMap((dtype) =>
          ["64", "1024", "4096", "1024-defaults"].map((rest) => `decode-${dtype}-${rest}`),
        ),
        "busy-core-q4-64",
        "bare-loop",
        "first-token-2048",
        "streams-8",
        "streams-16",
        ...["64", "1024", "4096"].map((context) => `decode-q8-${context}`),
        "first-token-q8-2048",
        "first-token-q4-2048",
        ...["q4", "q8", "fp32"].map((dtype) => `streams-8-${dtype}-llama`),
      ]);
    }
  });

  it("takes forty minutes at most", () => {
    const seconds = engine
      .stages("full")
      .flatMap(({ measurements }) => measurements)
      .reduce((sum, { expectedSeconds }) => sum + expectedSeconds, 0);
    expect(seconds).toBeLessThan(2400);
  });

  it("draws the same prompt from the same seed, in the vocabulary", () => {
    const prompt = drawPrompt(5, 1000, 320);
    expect(drawPrompt(5, 1000, 320)).toEqual(prompt);
    expect(drawPrompt(6, 1000, 320)).not.toEqual(prompt);
    expect(prompt.every((id) => Number.isInteger(id) && id >= 0 && id < 320)).toBe(true);
    expect(new Set(prompt).size).toBeGreaterThan(250);
  });
});

it("a record with a damaged measurement is refused by the field's name", async () => {
  const [first] = exampleEngine;
  const damaged = { ...(await exampleRecord()), engine: [{ ...first, warmUpBlocks: "1" }] };
  expect(() => parseRecord(damaged)).toThrow(/engine.*warmUpBlocks/);
});
