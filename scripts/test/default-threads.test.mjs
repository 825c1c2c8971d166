import { describe, expect, it } from "vitest";
import { median, solve } from "../defaults/numbers.mjs";
import { describeRecord } from "../defaults/show.mjs";

describe("numbers", () => {
  it("are solved for the least squares", () => {
    const equations = [
      { row: [1, 0], value: 2 },
      { row: [0, 1], value: 3 },
      { row: [1, 1], value: 5 },
      { row: [2, 1], value: 7 },
    ];
    expect(solve(equations).map((value) => value.toFixed(6))).toEqual(["2.000000", "3.000000"]);
    // Two answers to one question: the middle.
    expect(
      solve([
        { row: [1], value: 1 },
        { row: [1], value: 3 },
      ]),
    ).toEqual([2]);
    expect(median([3, undefined, 1, 2])).toBe(2);
    expect(median([1, 4])).toBe(2.5);
  });
});

describe("a record of default threads", () => {
  const models = [
    { model: "small", stepWeights: { bytes: 13e6, matrices: 20, bits: 32 } },
    { model: "large", stepWeights: { bytes: 520e6, matrices: 150, bits: 32 } },
    { model: "packed", stepWeights: { bytes: 65e6, matrices: 150, bits: 4 } },
  ];
  const settings = [
    { threads: 1, spinMicroseconds: 0 },
    { threads: 2, spinMicroseconds: 0 },
    { threads: 2, spinMicroseconds: 5 },
  ];
  const load = (milliseconds) => ({ milliseconds, reason: "measured while loading" });
  const loads = [{ model: "small", rule: load(100), first: load(108), second: load(99) }];

  /** Microseconds of a step on a machine that is as the rule says. */
  function stepOf({ bytes, matrices, bits }, { threads, spinMicroseconds }) {
    const one = bytes / (bits > 8 ? 13_000 : 6500);
    if (threads === 1) return one;
    return one / 1.8 + matrices * (spinMicroseconds === 0 ? 20 : 5);
  }

  /** Four blocks; transformers.js takes twice as long at equal settings, three times with its default. */
  function recordOf(chosenByDefault, change = (block) => block) {
    return {
      settings,
      equal: settings[1],
      loads,
      groups: models.map(({ model, stepWeights }) => {
        const speed = (own) => 1e6 / stepOf(stepWeights, own);
        const block = {
          ...Object.fromEntries(
            settings.map((own) => [`${own.threads}/${own.spinMicroseconds}`, speed(own)]),
          ),
          "peer-default": speed(settings[1]) / 3,
          "peer-equal": speed(settings[1]) / 2,
        };
        const blocks = [0, 1, 2, 3].map((index) => change({ ...block }, index, model));
        const cell = { streams: 1, context: 64, promptTokens: 64, load: "idle", blocks };
        return { model, workers: 1, default: chosenByDefault, stepWeights, cells: [cell] };
      }),
    };
  }

  it("gives back the numbers of the rule that made it", () => {
    const text = describeRecord(recordOf("2/5"));
    expect(text).toContain("bytesPerMicrosecond: { floats: 13000, quantised: 6500 }");
    expect(text).toContain("furtherThread: 0.80");
    expect(text).toContain("handOffMicroseconds: { sleeping: 20.0, spinning: 5.0 }");
    expect(text).toContain("3 of 3 cells have a ratio of at least 0.97; the middle one has 1.000.");
    expect(text).toMatch(
      /small +100 +108 \(1\.080\) +99 \(0\.990\) +1 of 1 +measured while loading/,
    );
  });

  it("says where the default loses, and what others would do", () => {
    const text = describeRecord(recordOf("1/0"));
    expect(text).toContain("0 of 3 cells have a ratio of at least 0.97");
    expect(text).toMatch(/large +1 +64 +1 +idle +25\.0 \(1\/0\) +43\.\d \(2\/5\) +0\.5\d\d +below/);
    expect(text).toMatch(
      /\n +1\/0 +0 +0\.\d+ +0\.\d+\n +2\/0 +0 +0\.\d+ +0\.\d+\n +2\/5 +3 +1\.000 +1\.000\n/,
    );
  });

  it("finds the best in one half of the blocks and compares in the other", () => {
    // One thread is lucky once: what it was found by is not what it is compared by.
    const lucky = (block, index) => (index % 2 === 0 ? { ...block, "1/0": 1e6 } : block);
    const text = describeRecord(recordOf("2/5", lucky));
    expect(text).toMatch(/large .* \(1\/0, 2\/5\) +1\.\d+\n/);
    expect(text).toContain("3 of 3 cells");
  });

  it("compares with transformers.js, at both defaults and at equal settings", () => {
    expect(describeRecord(recordOf("2/0"))).toMatch(
      /large +64 +idle +39\.\d : 13\.\d = 3\.00 +39\.\d : 19\.\d = 2\.00\n/,
    );
    expect(describeRecord(recordOf("1/0"))).toMatch(
      /large +64 +idle +.* = 1\.89 +.* = 2\.00 +below/,
    );
  });
});
