import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { highestTrackableNanoseconds, loadLatencies } from "../src/record/index.js";
import { MergeableLatencies, meanNanoseconds } from "../src/measure/mergeable-latencies.js";
import { LoadSamplesWriter, readLoadSamples } from "../src/load/load-samples.js";
import type { RequestSample } from "../src/load/request-sample.js";
import { StageTally, mergeStages } from "../src/load/stage-tally.js";
import { createDraw } from "../src/statistics/draw.js";

const rules = { limits: { endToEnd: 2e9 }, lateAfterNanoseconds: 10e6 };

/** Requests of all outcomes, with latencies over six decades, in a drawn order of their ends. */
function drawSamples(count: number, seed: number): RequestSample[] {
  const draw = createDraw(seed);
  const samples = Array.from({ length: count }, (_, index): RequestSample => {
    const outcome = draw.pick([
      "completed",
      "completed",
      "completed",
      "failed",
      "interrupted",
    ] as const);
    const delivered: number[] = [];
    let now = Math.round(10 ** (4 + 6 * draw.fraction()));
    for (let chunk = draw.integer(0, 12); chunk > 0; chunk -= 1) {
      delivered.push(now);
      now += Math.round(10 ** (3 + 6 * draw.fraction()));
    }
    return {
      index,
      stage: 0,
      dueNanoseconds: index * 1e7,
      latenessNanoseconds: draw.integer(0, 2e7),
      outcome,
      error: outcome === "failed" ? draw.pick(["HTTP 429", "timeout"]) : null,
      outputTokens: outcome === "completed" ? delivered.length : 0,
      promptTokens: draw.chance(0.5) ? draw.integer(1, 99) : null,
      endNanoseconds: now,
      deliveredNanoseconds: delivered,
    };
  });
  return draw.shuffle(samples);
}

function tally(samples: readonly RequestSample[]): StageTally {
  const stage = new StageTally({ stage: 0, seconds: 30, offered: samples.length }, rules);
  for (const sample of samples) stage.add(sample);
  return stage;
}

describe("shards", () => {
  it.each([2, 3, 8])("merge to what one would have recorded, byte for byte: %d of them", (of) => {
    const samples = drawSamples(2000, 11);
    const { mostInFlight, ...direct } = tally(samples).summarize();
    const shares = Array.from({ length: of }, (_, shard) =>
      tally(samples.filter(({ index }) => index % of === shard)).summarize(),
    );
    // In any order.
    for (const order of [shares, shares.toReversed()]) {
      const { mostInFlight: bound, ...merged } = mergeStages(order);
      expect(merged).toEqual(direct);
      expect(bound).toBeGreaterThanOrEqual(mostInFlight);
    }
    for (const metric of loadLatencies) expect(direct[metric]?.count).toBeGreaterThan(100);
  });

  it("merge with one that did nothing, and alone", () => {
    const share = tally(drawSamples(50, 2)).summarize();
    const idle = new StageTally({ stage: 0, seconds: 30, offered: 0 }, rules).summarize();
    expect(idle.endToEnd).toBeNull();
    expect(mergeStages([share])).toEqual(share);
    expect(mergeStages([idle, share])).toEqual(share);
    expect(mergeStages([idle, idle])).toEqual(idle);
  });

  it("of two schedules do not merge", () => {
    const share = tally(drawSamples(5, 2)).summarize();
    expect(() => mergeStages([share, { ...share, seconds: 31 }])).toThrow(/two schedules/);
    expect(() => mergeStages([share, { ...share, stage: 1 }])).toThrow(RangeError);
    expect(() => mergeStages([])).toThrow(RangeError);
  });

  it("count every request once, by what became of it", () => {
    const samples = drawSamples(500, 5);
    const stage = tally(samples).summarize();
    const count = (outcome: RequestSample["outcome"]): number =>
      samples.filter((sample) => sample.outcome === outcome).length;
    expect(stage).toMatchObject({
      offered: 500,
      arrived: 500,
      completed: count("completed"),
      failed: count("failed"),
      interrupted: count("interrupted"),
      late: samples.filter(({ latenessNanoseconds }) => latenessNanoseconds > 10e6).length,
    });
    expect(Object.values(stage.errors).reduce((sum, each) => sum + each, 0)).toBe(stage.failed);
    expect(stage.endToEnd?.count).toBe(stage.completed);
    expect(stage.lateness?.count).toBe(500);
    expect(stage.good).toBeLessThan(stage.completed);
  });
});

describe("latencies that merge", () => {
  it("keep count, sum and extremes exactly, beyond what a double can", () => {
    const latencies = new MergeableLatencies();
    const values = Array.from({ length: 200_000 }, (_, index) => 6e10 + index);
    for (const value of values) latencies.add(value);
    const summary = latencies.summarize();
    const sum = values.reduce((total, value) => total + BigInt(value), 0n);
    expect(BigInt(Number(sum)) === sum || sum > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(summary).toMatchObject({
      count: 200_000,
      sumNanoseconds: sum.toString(),
      minimumNanoseconds: 6e10,
      maximumNanoseconds: 6e10 + 199_999,
    });
    if (summary !== null) expect(meanNanoseconds(summary)).toBeCloseTo(6e10 + 99_999.5, 0);
  });

  it("hold 0, what is below it, and more than a day", () => {
    const latencies = new MergeableLatencies();
    for (const value of [0, -5, 0.4, highestTrackableNanoseconds * 3]) latencies.add(value);
    const summary = latencies.summarize();
    expect(summary).toMatchObject({
      count: 4,
      minimumNanoseconds: 0,
      maximumNanoseconds: highestTrackableNanoseconds * 3,
    });
    expect(decodeFromCompressedBase64(summary?.histogram ?? "").totalCount).toBe(4);
  });

  it("refuse histograms that do not fit", () => {
    const latencies = new MergeableLatencies();
    latencies.add(5);
    const summary = latencies.summarize();
    if (summary === null) return expect.fail("There is no summary.");
    const merge = (change: object) => () =>
      new MergeableLatencies().merge({ ...summary, ...change });
    expect(merge({ histogram: "HISTFAAAA" })).toThrow(/does not decode/);
    expect(merge({ count: 2 })).toThrow(/does not hold/);
    expect(merge({ sumNanoseconds: "many" })).toThrow(/does not hold/);
  });
});

describe("raw samples of a load", () => {
  const identity = { runId: "run", step: 2, shard: 1, of: 3 };

  it("are read as they were written, by their index", async () => {
    const samples = drawSamples(300, 9);
    const writer = new LoadSamplesWriter(identity);
    for (const sample of samples) writer.add(sample);
    const read = await readLoadSamples(await writer.finish());
    expect(read).toEqual({
      ...identity,
      requests: samples.toSorted((one, other) => one.index - other.index),
    });
  });

  it("are refused where they are damaged", async () => {
    const writer = new LoadSamplesWriter(identity);
    for (const sample of drawSamples(20, 1)) writer.add(sample);
    const bytes = await writer.finish();
    for (const damaged of [bytes.subarray(0, -9), new Uint8Array(), Buffer.from("no gzip")]) {
      await expect(readLoadSamples(damaged)).rejects.toMatchObject({ code: "INVALID_RAW_SAMPLES" });
    }
  });
});
