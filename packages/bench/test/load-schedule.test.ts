import type { Prompt } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import type { RateSchedule, Schedule } from "../src/record/index.js";
import { showLength, parseLength } from "../src/load/length.js";
import { requestOf, type RequestMix } from "../src/load/request-mix.js";
import { arrivalsOf, constantRate, shardArrivals } from "../src/load/schedule.js";

const ramp: RateSchedule = {
  kind: "rate",
  seed: 1851,
  arrivals: "poisson",
  stages: [
    { fromPerSecond: 10, toPerSecond: 10, seconds: 5 },
    { fromPerSecond: 10, toPerSecond: 100, seconds: 10 },
    { fromPerSecond: 0, toPerSecond: 0, seconds: 2 },
    { fromPerSecond: 50, toPerSecond: 0, seconds: 5 },
  ],
};

const trace: Schedule = { kind: "trace", seed: 3, dueNanoseconds: [0, 0, 5e8, 1e9, 1e9, 4e9] };

const mix: RequestMix = {
  source: "filler",
  list: [],
  inputTokens: { kind: "uniform", lowest: 3, highest: 9 },
  outputTokens: { kind: "lognormal", median: 20, sigma: 0.5, highest: 60 },
  ignoreEos: false,
};

/** Of a prompt that was drawn. */
function wordsOf(prompt: Prompt): string[] {
  if (typeof prompt !== "string") throw new TypeError("A drawn prompt is a text.");
  return prompt.split(" ");
}

describe("a schedule", () => {
  it.each([
    ["rates", ramp],
    ["a trace", trace],
  ])("of %s is the same for every number of shards, with its requests", (_, schedule) => {
    const whole = [...arrivalsOf(schedule)];
    for (const of of [1, 2, 3, 7]) {
      const shards = Array.from({ length: of }, (__, shard) => [
        ...shardArrivals({ schedule, shard, of }),
      ]);
      for (const [shard, arrivals] of shards.entries()) {
        expect(arrivals.every(({ index }) => index % of === shard)).toBe(true);
      }
      const joined = shards.flat().toSorted((one, other) => one.index - other.index);
      expect(joined).toEqual(whole);
      expect(joined.map(({ index }) => requestOf(mix, schedule.seed, index))).toEqual(
        whole.map(({ index }) => requestOf(mix, schedule.seed, index)),
      );
    }
  });

  it("counts its arrivals from 0, in order, in the stages that they are due in", () => {
    const arrivals = [...arrivalsOf(ramp)];
    const begins = [0, 5, 15, 17, 22].map((seconds) => seconds * 1e9);
    for (const [place, { index, stage, dueNanoseconds }] of arrivals.entries()) {
      expect(index).toBe(place);
      expect(Number.isSafeInteger(dueNanoseconds)).toBe(true);
      expect(dueNanoseconds).toBeGreaterThanOrEqual(begins[stage] ?? Infinity);
      expect(dueNanoseconds).toBeLessThanOrEqual(begins[stage + 1] ?? -Infinity);
      expect(dueNanoseconds).toBeGreaterThanOrEqual(arrivals[place - 1]?.dueNanoseconds ?? 0);
    }
    expect(arrivals.some(({ stage }) => stage === 2)).toBe(false);
  });

  it("draws another one from another seed", () => {
    const dues = (seed: number): number[] =>
      [...arrivalsOf({ ...ramp, seed })].map(({ dueNanoseconds }) => dueNanoseconds);
    expect(dues(1)).toEqual(dues(1));
    expect(dues(1)).not.toEqual(dues(2));
  });

  it("has the arrivals of its rates, on average and in time", () => {
    const seconds = 100;
    const counts = Array.from({ length: 40 }, (_, seed) => {
      const stages = [{ fromPerSecond: 0, toPerSecond: 20, seconds }];
      const arrivals = [...arrivalsOf({ kind: "rate", seed, arrivals: "poisson", stages })];
      const early = arrivals.filter(({ dueNanoseconds }) => dueNanoseconds < (seconds / 2) * 1e9);
      return { all: arrivals.length, early: early.length };
    });
    const mean = (of: (count: { all: number; early: number }) => number): number =>
      counts.reduce((sum, count) => sum + of(count), 0) / counts.length;
    // 1000 ± 32 each, so ± 5 for the mean of 40. A quarter of a ramp from 0 is in its first half.
    expect(Math.abs(mean(({ all }) => all) - 1000)).toBeLessThan(20);
    expect(Math.abs(mean(({ early }) => early) - 250)).toBeLessThan(12);
  });

  it("has even distances where they are asked for", () => {
    const schedule = constantRate(10, { seed: 0, arrivals: "constant", seconds: 30 });
    const dues = [...arrivalsOf(schedule)].map(({ dueNanoseconds }) => dueNanoseconds);
    expect(dues).toHaveLength(300);
    expect(dues).toEqual(Array.from({ length: 300 }, (_, index) => index * 1e8));
    const third = constantRate(0.1, { seed: 0, arrivals: "constant", seconds: 30 });
    expect([...arrivalsOf(third)]).toHaveLength(3);
  });

  it.each<[string, Partial<RateSchedule>]>([
    ["seed of the schedule is -1", { seed: -1 }],
    ["seed of the schedule is 0.5", { seed: 0.5 }],
    ["no stage", { stages: [] }],
    ["is -3 per second", { stages: [{ fromPerSecond: -3, toPerSecond: 1, seconds: 1 }] }],
    ["is NaN per second", { stages: [{ fromPerSecond: Number.NaN, toPerSecond: 1, seconds: 1 }] }],
    ["has 0 seconds", { stages: [{ fromPerSecond: 1, toPerSecond: 1, seconds: 0 }] }],
    ["no arrivals", { stages: [{ fromPerSecond: 0, toPerSecond: 0, seconds: 9 }] }],
    ["10000000 are the most", { stages: [{ fromPerSecond: 1e9, toPerSecond: 1e9, seconds: 9 }] }],
  ])("is refused: %s", (problem, change) => {
    expect(() => arrivalsOf({ ...ramp, ...change }).next()).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringContaining(problem),
      }),
    );
  });

  it.each([
    [2, 2],
    [-1, 2],
    [0, 0],
    [0.5, 2],
  ])("has no shard %d of %d", (shard, of) => {
    expect(() => shardArrivals({ schedule: ramp, shard, of }).next()).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });

  it("refuses a trace that goes back in time", () => {
    expect(() => [...arrivalsOf({ ...trace, dueNanoseconds: [5, 4] })]).toThrow(
      /not before the one/,
    );
  });
});

describe("a mix of requests", () => {
  it("draws lengths in their bounds, and the same ones again", () => {
    const requests = Array.from({ length: 500 }, (_, index) => requestOf(mix, 7, index));
    const words = requests.map(({ prompt }) => wordsOf(prompt).length);
    expect(new Set(words)).toEqual(new Set([3, 4, 5, 6, 7, 8, 9]));
    const tokens = requests.map(({ config }) => config.maxTokens ?? 0).toSorted((a, b) => a - b);
    expect(tokens[0]).toBeGreaterThanOrEqual(1);
    expect(tokens.at(-1)).toBeLessThanOrEqual(60);
    // The median of 500 draws: its standard error is 0.56.
    expect(Math.abs((tokens[250] ?? 0) - 20)).toBeLessThan(3);
    expect(new Set(requests.map(({ config }) => config.seed)).size).toBe(500);
  });

  it("takes a list by chance, and a trace in its order", () => {
    const list = [{ prompt: "a" }, { prompt: "b", outputTokens: 5 }, { prompt: "c" }];
    const promptsOf = (source: "list" | "trace"): unknown[] =>
      Array.from({ length: 60 }, (_, index) => requestOf({ ...mix, source, list }, 7, index)).map(
        ({ prompt }) => prompt,
      );
    expect(promptsOf("trace").slice(0, 4)).toEqual(["a", "b", "c", "a"]);
    expect(new Set(promptsOf("list"))).toEqual(new Set(["a", "b", "c"]));
    expect(promptsOf("list").slice(0, 12)).not.toEqual(promptsOf("trace").slice(0, 12));
    expect(requestOf({ ...mix, source: "trace", list }, 7, 1).config.maxTokens).toBe(5);
  });

  it("begins prompts with the same words where a trace says the same blocks", () => {
    const list = [
      { inputTokens: 700, blocks: [1, 2] },
      { inputTokens: 600, blocks: [1, 3] },
    ];
    const [one, other] = [0, 1].map((index) =>
      wordsOf(requestOf({ ...mix, source: "trace", list }, 7, index).prompt),
    );
    expect(one).toHaveLength(700);
    expect(other).toHaveLength(600);
    expect(one?.slice(0, 512)).toEqual(other?.slice(0, 512));
    expect(one?.slice(512, 600)).not.toEqual(other?.slice(512));
  });
});

describe("a length", () => {
  it.each(["128", "64-256", "lognormal:128:0.6:1024"])("is read and written: %s", (text) => {
    expect(showLength(parseLength(text, "it"))).toBe(text);
  });

  it.each([
    "",
    "0",
    "-5",
    "many",
    "9-3",
    "0-3",
    "5-",
    "lognormal:5",
    "lognormal:9:0:20",
    "1e9",
    "lognormal:50:1:20",
  ])('is not "%s"', (text) => {
    expect(() => parseLength(text, "--output-tokens")).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringContaining(`--output-tokens is "${text}"`),
      }),
    );
  });
});
