import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { readGraphSummary } from "@streamgauge/runtime/onnx";
import { describe, expect, it } from "vitest";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { readStepWeights } from "../src/onnx/step-weights.js";
import {
  chooseThreads,
  ownSources,
  type ThreadRequest,
  type TuningSources,
} from "../src/threads/choose-threads.js";
import type { KeptTimings, TimingsKey } from "../src/threads/kept-timings.js";
import type { LeanGraph } from "../src/threads/open-probe.js";
import { settingsByRule } from "../src/threads/thread-rule.js";
import type { TimedSettings } from "../src/threads/thread-settings.js";
import type { MeasuredSettings } from "../src/threads/time-settings.js";
import { temporaryFolder } from "./temporary-folder.js";

const weights = { bytes: 84e6, matrices: 151, bits: 4, shapeHash: "0123456789abcdef" } as const;
/** What these machines measure is no graph. */
const noGraph = {} as LeanGraph;
const asked: ThreadRequest = {
  threads: undefined,
  spinMicroseconds: undefined,
  tuning: "keep",
  workers: 1,
  executionProvider: "cpu",
};

function timed(one: number, two: number): readonly TimedSettings[] {
  return [
    { threads: 1, spinMicroseconds: 0, microseconds: one },
    { threads: 2, spinMicroseconds: 5, microseconds: two },
  ];
}

/** A machine of two cores, and what was asked of it. */
class Machine implements TuningSources {
  readonly cores = 2;
  readonly kept = new Map<string, KeptTimings>();
  reads = 0;
  measurements = 0;

  readonly answer: () => Promise<MeasuredSettings | undefined>;

  constructor(answer: Machine["answer"]) {
    this.answer = answer;
  }

  static measuring(timings: readonly TimedSettings[], isSteady = true): Machine {
    return new Machine(() => Promise.resolve({ timings, isSteady }));
  }

  keyOf = ({ shapeHash }: { readonly shapeHash: string }, workers: number): TimingsKey => ({
    platform: "any",
    architecture: "any",
    processor: "any",
    cores: this.cores,
    onnxruntime: "any",
    shapeHash,
    workers,
  });

  read = (key: TimingsKey): Promise<KeptTimings | undefined> => {
    this.reads += 1;
    return Promise.resolve(this.kept.get(JSON.stringify(key)));
  };

  keep = (key: TimingsKey, kept: KeptTimings): Promise<void> => {
    this.kept.set(JSON.stringify(key), kept);
    return Promise.resolve();
  };

  measure = (): Promise<MeasuredSettings | undefined> => {
    this.measurements += 1;
    return this.answer();
  };
}

describe("choosing threads", () => {
  it("measures at the first loading alone, and keeps that", async () => {
    const machine = Machine.measuring(timed(1000, 600));
    const first = await chooseThreads(asked, noGraph, weights, machine);
    expect(first).toMatchObject({ threads: 2, spinMicroseconds: 5 });
    expect(first.because.threads).toBe(
      "measured while loading: 2 threads that spin for 5 µs took 0.60 of the time of 1 thread",
    );
    expect(first.because.spinning).toBe(first.because.threads);
    const second = await chooseThreads(asked, noGraph, weights, machine);
    expect(second).toMatchObject({ threads: 2, spinMicroseconds: 5 });
    expect(second.because.threads).toMatch(/^measured at a first loading: 2 threads/);
    expect(machine.measurements).toBe(1);
    await chooseThreads(asked, noGraph, { ...weights, shapeHash: "another" }, machine);
    expect(machine.measurements).toBe(2);
  });

  it("takes one thread where more are slower", async () => {
    const choice = await chooseThreads(
      asked,
      noGraph,
      weights,
      Machine.measuring(timed(900, 1000)),
    );
    expect(choice).toMatchObject({
      threads: 1,
      spinMicroseconds: 0,
      because: {
        threads:
          "measured while loading: 1 thread took 0.90 of the time of 2 threads that spin for 5 µs",
        spinning: "one thread waits for nobody",
      },
    });
  });

  it("writes nothing where that was asked, and reads what is there", async () => {
    const machine = Machine.measuring(timed(1000, 600));
    const measuring = { ...asked, tuning: "measure" } as const;
    await chooseThreads(measuring, noGraph, weights, machine);
    expect(machine.kept.size).toBe(0);
    await chooseThreads(asked, noGraph, weights, machine);
    await chooseThreads(measuring, noGraph, weights, machine);
    expect(machine.measurements).toBe(2);
  });

  it("goes by the rule where that was asked, without reading or measuring", async () => {
    const machine = Machine.measuring(timed(1000, 1000));
    const choice = await chooseThreads({ ...asked, tuning: "rule" }, noGraph, weights, machine);
    expect(choice).toMatchObject(settingsByRule({ weights, cores: 2, workers: 1, chosen: {} }));
    expect(choice.because.threads).toBe(
      "by rule: a step reads 151 matrices of 84 MB in all; 2 cores, 1 worker",
    );
    expect([machine.reads, machine.measurements]).toEqual([0, 0]);
  });

  it.each<[string, () => Promise<MeasuredSettings | undefined>, RegExp]>([
    ["fails", () => Promise.reject(new Error("no")), /a measurement was not possible$/],
    ["has too little time", () => Promise.resolve(undefined), /a measurement was not possible$/],
    [
      "is disturbed",
      () => Promise.resolve({ timings: timed(1000, 1), isSteady: false }),
      /too unsteady to go by$/,
    ],
  ])("goes by the rule where a measurement %s, and keeps nothing", async (_, answer, reason) => {
    const machine = new Machine(answer);
    const choice = await chooseThreads(asked, noGraph, weights, machine);
    expect(choice).toMatchObject(settingsByRule({ weights, cores: 2, workers: 1, chosen: {} }));
    expect(choice.because.threads).toMatch(reason);
    expect(machine.kept.size).toBe(0);
  });

  it("goes by the rule for models and providers that it cannot measure", async () => {
    const machine = Machine.measuring(timed(1000, 1000));
    const unknown = await chooseThreads(asked, noGraph, undefined, machine);
    expect(unknown.because.threads).toMatch(/matrices that were not found in the graph/);
    await chooseThreads({ ...asked, executionProvider: "webgpu" }, noGraph, weights, machine);
    expect([machine.reads, machine.measurements]).toEqual([0, 0]);
  });

  it("lets options win, each by itself", async () => {
    const machine = Machine.measuring(timed(1000, 500));
    expect(
      await chooseThreads({ ...asked, threads: 7, spinMicroseconds: 9 }, noGraph, weights, machine),
    ).toMatchObject({
      threads: 7,
      spinMicroseconds: 9,
      because: {
        threads: "the option threads says so",
        spinning: "the option spinMicroseconds says so",
      },
    });
    const two = await chooseThreads({ ...asked, threads: 2 }, noGraph, weights, machine);
    expect(two).toMatchObject({ threads: 2, because: { threads: "the option threads says so" } });
    expect(two.because.spinning).toMatch(/^by rule/);
    const still = await chooseThreads({ ...asked, spinMicroseconds: 0 }, noGraph, weights, machine);
    expect(still).toMatchObject({ threads: 2, spinMicroseconds: 0 });
    expect(machine.measurements).toBe(0);
    // What was measured without them counts for what they leave open.
    await machine.keep(machine.keyOf(weights, 1), {
      source: "loading",
      timings: timed(1000, 300),
    });
    const measured = await chooseThreads({ ...asked, threads: 2 }, noGraph, weights, machine);
    expect(measured).toMatchObject({ threads: 2, spinMicroseconds: 5 });
    expect(measured.because.spinning).toMatch(/^measured at a first loading/);
  });

  it("measures nothing while several workers load, and uses what one has measured", async () => {
    const machine = Machine.measuring(timed(1000, 500));
    const two = { ...asked, workers: 2 };
    const choice = await chooseThreads(two, noGraph, weights, machine);
    expect(choice).toMatchObject({ threads: 2, spinMicroseconds: 5 });
    expect(choice.because.threads).toMatch(/2 workers; several workers measure nothing/);
    expect(machine.measurements).toBe(0);
    await chooseThreads(asked, noGraph, weights, machine);
    const shared = await chooseThreads(two, noGraph, weights, machine);
    expect(shared).toMatchObject({ threads: 2, spinMicroseconds: 5 });
    expect(shared.because.threads).toMatch(/^measured with one worker: 2 threads .* took 0\.50 of/);
    expect(machine.measurements).toBe(1);
  });

  it("takes the best that `tune` has found, for as many workers", async () => {
    const machine = Machine.measuring(timed(1, 1));
    await machine.keep(machine.keyOf(weights, 2), {
      source: "tune",
      timings: [...timed(1000, 980), { threads: 2, spinMicroseconds: 50, microseconds: 920 }],
    });
    const choice = await chooseThreads({ ...asked, workers: 2 }, noGraph, weights, machine);
    expect(choice).toMatchObject({ threads: 2, spinMicroseconds: 50 });
    expect(choice.because.threads).toMatch(/^found by `streamgauge tune`: 2 threads/);
    const brief = { ...asked, workers: 2, spinMicroseconds: 5 };
    expect(await chooseThreads(brief, noGraph, weights, machine)).toMatchObject({
      threads: 2,
      spinMicroseconds: 5,
    });
    // As `tune` has it: what is closer than 2 % is chance.
    await machine.keep(machine.keyOf(weights, 1), {
      source: "tune",
      timings: timed(1000, 985),
    });
    expect(await chooseThreads(asked, noGraph, weights, machine)).toMatchObject({ threads: 1 });
  });
});

describe("this machine's sources", () => {
  it("keep and read in the folder, and measure real matrices", async () => {
    const folder = await temporaryFolder();
    const sources = ownSources(folder);
    const key = sources.keyOf(weights, 1);
    expect(key).toMatchObject({ cores: sources.cores, shapeHash: weights.shapeHash, workers: 1 });
    const kept: KeptTimings = {
      source: "loading",
      timings: [{ threads: 1, spinMicroseconds: 0, microseconds: 3 }],
    };
    await sources.keep(key, kept);
    expect(await sources.read(key)).toEqual(kept);
    const file = join(embeddedModel, "onnx", "model.onnx");
    const graph = await readLeanModel(file);
    const summary = readGraphSummary(graph, file);
    const own = readStepWeights(graph, summary);
    if (own === undefined) throw new Error("The embedded model has no weights.");
    const settings = [
      { threads: 1, spinMicroseconds: 0 },
      { threads: 2, spinMicroseconds: 50 },
    ];
    const measured = await sources.measure(settings, { graph, file, summary }, own);
    // A machine that is busy enough measures nothing in its budget.
    for (const { microseconds } of measured?.timings ?? []) expect(microseconds).toBeGreaterThan(0);
  });

  it("do not replace what a trial has found meanwhile", async () => {
    const sources = ownSources(await temporaryFolder());
    const key = sources.keyOf(weights, 1);
    const tuned: KeptTimings = {
      source: "tune",
      timings: [{ threads: 1, spinMicroseconds: 0, microseconds: 3 }],
    };
    await sources.keep(key, tuned);
    await sources.keep(key, { ...tuned, source: "loading" });
    expect(await sources.read(key)).toEqual(tuned);
  });

  it("do without a folder, and with one that cannot be written to", async () => {
    const none = ownSources(undefined);
    const key = none.keyOf(weights, 1);
    const kept: KeptTimings = { source: "loading", timings: timed(3, 2) };
    await none.keep(key, kept);
    expect(await none.read(key)).toBeUndefined();
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const blocked = ownSources(file);
    await blocked.keep(key, kept);
    expect(await blocked.read(key)).toBeUndefined();
  });
});
