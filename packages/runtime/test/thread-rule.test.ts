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

  it("gives a worker more than its share only where that is faster", () => {
    expect(settingsByRule(loadOf(large, 2, 2))).toEqual({ threads: 2, spinMicroseconds: brief });
    expect(settingsByRule(loadOf(pequod, 2, 2))).toEqual({ threads: 2, spinMicroseconds: brief });
    expect(settingsByRule(loadOf(tiny, 2, 2))).toEqual({ threads: 1, spinMicroseconds: 0 });
  });

  it("never takes more threads than cores, than twice a share, or than eight", () => {
    for (const weights of every) {
      for (const cores of [1, 2, 3, 4, 6, 16, 64, 128]) {
        for (const workers of [1, 2, 3, 8, 200]) {
          const { threads, spinMicroseconds } = settingsByRule(loadOf(weights, cores, workers));
          expect(threads).toBeGreaterThanOrEqual(1);
          const share = Math.max(1, Math.floor(cores / workers));
          expect(threads).toBeLessThanOrEqual(Math.min(8, cores, 2 * share));
          expect(spinMicroseconds).toBe(threads === 1 ? 0 : brief);
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

  it("leaves what was chosen", () => {
    expect(settingsByRule(loadOf(large, 2, 1, { threads: 6 }))).toEqual({
      threads: 6,
      spinMicroseconds: brief,
    });
    expect(settingsByRule(loadOf(tiny, 8, 1, { threads: 3 })).threads).toBe(3);
    expect(settingsByRule(loadOf(large, 2, 1, { spinMicroseconds: 700 }))).toEqual({
      threads: 2,
      spinMicroseconds: 700,
    });
    expect(possibleSettings(loadOf(large, 4, 2, { threads: 2 }))).toEqual([
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
  const timed = (...times: readonly [number, number]) => [
    { threads: 1, spinMicroseconds: 0, microseconds: times[0] },
    { threads: 2, spinMicroseconds: brief, microseconds: times[1] },
  ];
  const one = { threads: 1, spinMicroseconds: 0 };
  const two = { threads: 2, spinMicroseconds: brief };

  it("are of one thread, of the rule's settings, and of few others", () => {
    expect(settingsToTime(load)).toEqual([one, two]);
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
    expect(settingsByRule(load)).toEqual(two);
    expect(settingsByTimings(load, timed(100, 60))).toEqual(two);
    expect(settingsByTimings(load, timed(100, 103))).toEqual(two);
    expect(settingsByTimings(load, timed(100, 110))).toEqual(one);
    expect(settingsByRule(loadOf(tiny, 2))).toEqual(one);
    expect(settingsByTimings(loadOf(tiny, 2), timed(100, 97))).toEqual(one);
    expect(settingsByTimings(loadOf(tiny, 2), timed(100, 80))).toEqual(two);
  });

  it("take the simplest of those that are nearly alike where the rule's are not among them", () => {
    const all = { threads: 8, spinMicroseconds: brief };
    const times = (eight: number) => [...timed(100, 98), { ...all, microseconds: eight }];
    const onEight = loadOf(large, 8);
    expect(settingsByRule(onEight)).toMatchObject({ threads: 4 });
    expect(settingsByTimings(onEight, times(97))).toEqual(one);
    expect(settingsByTimings(onEight, times(60))).toEqual(all);
  });

  it("say nothing of settings that may not be taken", () => {
    expect(settingsByTimings(loadOf(large, 1), timed(100, 60).slice(1))).toBeUndefined();
    const twice = [...timed(100, 60), { threads: 2, spinMicroseconds: 50, microseconds: 30 }];
    expect(settingsByTimings(load, twice)).toEqual(two);
    expect(settingsByTimings(loadOf(large, 2, 2), timed(100, 80))).toEqual(two);
    expect(settingsByTimings(load, [])).toBeUndefined();
  });
});
