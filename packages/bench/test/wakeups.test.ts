import { describe, expect, it } from "vitest";
import { brokenPromises, renderWakeUps } from "../src/endurance/wakeups-summary.js";
import { measureWakeUps, type WakeUpReport } from "../src/endurance/wakeups.js";
import { LatencyHistogram } from "../src/measure/latency-histogram.js";
import { paced } from "../src/plan/build-stage.js";

/** One load over the default ring, whose tokens came so late. */
function reportOf(latencies: readonly number[], blocksAboveAllowance = 0): WakeUpReport {
  const histogram = new LatencyHistogram();
  for (const milliseconds of latencies) histogram.add(milliseconds * 1e6);
  const ring = {
    ring: "default",
    maxDelayMilliseconds: 4,
    medians: {
      threadMicrosecondsPerToken: undefined,
      processMicrosecondsPerToken: 800,
      timeToFirstTokenMilliseconds: 4,
      latencyMilliseconds: 2,
      wakeUpsPerSecond: 250,
    },
    blocksAboveAllowance,
    deliveryLatency: histogram.summarize(),
    differences: {
      latencyMilliseconds: {
        value: 1.9,
        interval95: { lower: 1.8, upper: 2.0 },
        bounds95: { lower: 1.8, upper: 2.0 },
      },
    },
  };
  return { seed: 1, interrupted: false, loads: [{ load: "1 stream", blocks: 10, rings: [ring] }] };
}

describe("brokenPromises", () => {
  it("holds latency and wake-ups against the longest delay", () => {
    expect(brokenPromises(reportOf([1, 2, 4]))).toEqual([]);
    expect(brokenPromises(reportOf([3, 3, 3]))).toEqual(["1 stream: p50 is 3.00 ms."]);
    expect(brokenPromises(reportOf([1, 2, 7]))).toEqual([
      expect.stringMatching(/^1 stream: p99 is 7\.0\d ms\.$/),
    ]);
    expect(brokenPromises(reportOf([2], 1))).toEqual([]);
    expect(brokenPromises(reportOf([2], 2))).toEqual([
      "1 stream: too many wake-ups in 2 of 10 blocks.",
    ]);
  });
});

describe("renderWakeUps", () => {
  it("has a row for each ring, and what it changes with its interval", () => {
    const text = renderWakeUps(reportOf([2]), { unicode: false });
    expect(text).toMatch(
      /\| 1 stream \| default \| 250 +\| 2\.00 ms \| 2\.00 ms \| 4\.00 ms \| - /,
    );
    expect(text).toContain("1.90 [1.80, 2.00]");
    expect(text).toContain("Seed 1. All that is promised holds.");
    const { loads } = reportOf([3]);
    expect(renderWakeUps({ loads, seed: 1, interrupted: true }, { unicode: true })).toContain(
      "Interrupted. Seed 1. 1 stream: p50 is 3.00 ms.",
    );
  });
});

describe("measureWakeUps", () => {
  it("runs every ring under every load, and stops between two blocks", async () => {
    const subjects = new Set<string>();
    const { loads } = await measureWakeUps({
      blocks: 1,
      seed: 1,
      loads: [
        { name: "fast", plan: paced(200, "pooled"), streams: 2, tokens: 30 },
        { name: "slow", plan: paced(5000, "pooled"), streams: 1, tokens: 25 },
      ],
      onProgress: ({ subject }) => void subjects.add(subject),
    });
    expect(loads.map(({ load }) => load)).toEqual([...subjects]);
    for (const { rings, blocks } of loads) {
      expect(blocks).toBe(1);
      expect(rings.map(({ maxDelayMilliseconds }) => maxDelayMilliseconds)).toEqual([4, 0, 0]);
      for (const { deliveryLatency, medians, differences } of rings) {
        expect(deliveryLatency.count).toBeGreaterThanOrEqual(25);
        expect(medians.wakeUpsPerSecond).toBeGreaterThan(0);
        expect(differences).toEqual({});
      }
    }
    const signal = AbortSignal.abort();
    const interrupted = await measureWakeUps({ blocks: 1, seed: 1, signal });
    expect(interrupted).toMatchObject({ loads: [], interrupted: true });
  });
});
