import { describe, expect, it } from "vitest";
import {
  briefSpinMicroseconds,
  possibleSettings,
  predictMicroseconds,
  settingsByRule,
  settingsByTimings,
  settingsToTime,
  type ThreadLoad,
} from "../src/threads/thread-rule.js";

const brief = briefSpinMicroseconds;
/** One layer of a toy: far less than a hand-off costs. */
const tiny = { bytes: 100_000, matrices: 10, bits: 32, shapeHash: "tiny" } as const;
const pequod = { bytes: 14_680_064, matrices: 21, bits: 32, shapeHash: "pequod" } as const;
const large = { bytes: 538e6, matrices: 151, bits: 32, shapeHash: "large" } as const;
const largeIn4Bits = { bytes: 84e6, matrices: 151, bits: 4, shapeHash: "large-4" } as const;
const every = [tiny, pequod, large, largeIn4Bits];

function loadOf(
  weights: ThreadLoad["weights"],
  cores: number,
  workers = 1,
  chosen: ThreadLoad["chosen"] = {},
): ThreadLoad {
  return { weights, cores, workers, chosen };
}

describe("the rule for threads", () => {
  it("takes one thread on one core, and where weights are soon read", () => {
    for (const weights of [...every, undefined]) {
      expect(settingsByRule(loadOf(weights, 1))).toEqual({ threads: 1, spinMicroseconds: 0 });
    }
    expect(settingsByRule(loadOf(tiny, 8))).toEqual({ threads: 1, spinMicroseconds: 0 });
  });

  it("takes both of two cores for models that read megabytes", () => {
    for (const weights of [pequod, large, largeIn4Bits, undefined]) {
      expect(settingsByRule(loadOf(weights, 2)).threads).toBe(2);
    }
  });

  it("gives a worker more than its share only where that is much faster, and never spinning", () => {
    expect(settingsByRule(loadOf(large, 2, 2))).toEqual({ threads: 2, spinMicroseconds: 0 });
    expect(settingsByRule(loadOf(pequod, 2, 2))).toEqual({ threads: 1, spinMicroseconds: 0 });
  });

  it("never takes more threads than cores, than twice a share, or than eight", () => {
    for (const weights of every) {
      for (const cores of [1, 2, 3, 4, 6, 16, 64, 128]) {
        for (const workers of [1, 2, 3, 8, 200]) {
          const { threads, spinMicroseconds } = settingsByRule(loadOf(weights, cores, workers));
          expect(threads).toBeGreaterThanOrEqual(1);
          const share = Math.max(1, Math.floor(cores / workers));
          expect(threads).toBeLessThanOrEqual(Math.min(8, cores, 2 * share));
          if (threads > share) expect(spinMicroseconds).toBe(0);
          expect([0, brief]).toContain(spinMicroseconds);
          if (threads === 1) expect(spinMicroseconds).toBe(0);
        }
      }
    }
  });

  it("takes no fewer threads for heavier weights", () => {
    const weightsOf = (bytes: number) => ({ ...large, bytes });
    const counts = [1e5, 1e6, 1e7, 1e8, 1e9, 1e10].map(
      (bytes) => settingsByRule(loadOf(weightsOf(bytes), 16)).threads,
    );
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(counts[0]).toBe(1);
    expect(counts.at(-1)).toBe(8);
  });

  it("leaves what was chosen, and spins only where every thread has a core", () => {
    expect(settingsByRule(loadOf(large, 2, 1, { threads: 6 }))).toEqual({
      threads: 6,
      spinMicroseconds: 0,
    });
    expect(settingsByRule(loadOf(tiny, 8, 1, { threads: 3 })).threads).toBe(3);
    expect(settingsByRule(loadOf(large, 2, 1, { spinMicroseconds: 700 }))).toEqual({
      threads: 2,
      spinMicroseconds: 700,
    });
    expect(possibleSettings(loadOf(large, 4, 2, { threads: 2 }))).toEqual([
      { threads: 2, spinMicroseconds: 0 },
      { threads: 2, spinMicroseconds: brief },
    ]);
  });

  it("predicts as its numbers say", () => {
    const one = predictMicroseconds(large, { threads: 1, spinMicroseconds: 0 });
    const two = predictMicroseconds(large, { threads: 2, spinMicroseconds: 0 });
    const spinning = predictMicroseconds(large, { threads: 2, spinMicroseconds: brief });
    expect(one).toBeGreaterThan(two);
    expect(two).toBeGreaterThan(spinning);
    expect(spinning).toBeGreaterThan(one / 2);
  });
});

describe("measured times", () => {
  const load = loadOf(large, 2);
  const timed = (times: readonly [number, number, number]) => [
    { threads: 1, spinMicroseconds: 0, microseconds: times[0] },
    { threads: 2, spinMicroseconds: 0, microseconds: times[1] },
    { threads: 2, spinMicroseconds: brief, microseconds: times[2] },
  ];

  it("are of one thread, of the rule's settings, and of few others", () => {
    expect(settingsToTime(load)).toEqual([
      { threads: 1, spinMicroseconds: 0 },
      { threads: 2, spinMicroseconds: 0 },
      { threads: 2, spinMicroseconds: brief },
    ]);
    // Where the rule takes one thread, whether two are faster.
    expect(settingsToTime(loadOf(tiny, 2))).toEqual(settingsToTime(load));
    expect(settingsToTime(loadOf(large, 1))).toEqual([{ threads: 1, spinMicroseconds: 0 }]);
    for (const cores of [3, 4, 8, 64]) {
      const settings = settingsToTime(loadOf(large, cores));
      expect(settings.length).toBeLessThanOrEqual(4);
      expect(settings[0]).toEqual({ threads: 1, spinMicroseconds: 0 });
      expect(settings).toContainEqual(settingsByRule(loadOf(large, cores)));
    }
  });

  it("overrule the rule only where others are clearly faster", () => {
    const ruled = settingsByRule(load);
    expect(ruled).toEqual({ threads: 2, spinMicroseconds: brief });
    expect(settingsByTimings(load, timed([100, 70, 60]))).toEqual(ruled);
    expect(settingsByTimings(load, timed([100, 60, 62]))).toEqual(ruled);
    expect(settingsByTimings(load, timed([100, 60, 80]))).toMatchObject({ spinMicroseconds: 0 });
    expect(settingsByTimings(load, timed([100, 150, 140]))).toMatchObject({ threads: 1 });
  });

  it("take the simplest of those that are nearly alike where the rule's are not among them", () => {
    expect(settingsByTimings(load, timed([100, 98, 97]).slice(0, 2))).toMatchObject({ threads: 1 });
    expect(settingsByTimings(load, timed([100, 60, 59]).slice(0, 2))).toMatchObject({ threads: 2 });
  });

  it("say nothing of settings that may not be taken", () => {
    expect(settingsByTimings(loadOf(large, 1), timed([100, 60, 50]).slice(1))).toBeUndefined();
    expect(settingsByTimings(loadOf(large, 2, 2), timed([100, 60, 50]))).toEqual({
      threads: 2,
      spinMicroseconds: 0,
    });
    expect(settingsByTimings(loadOf(large, 2, 2), timed([100, 90, 50]))).toMatchObject({
      threads: 2,
    });
    expect(settingsByTimings(loadOf(large, 2, 2), timed([80, 90, 50]))).toMatchObject({
      threads: 1,
    });
    expect(settingsByTimings(load, [])).toBeUndefined();
  });
});
