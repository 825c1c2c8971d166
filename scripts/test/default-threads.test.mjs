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
    { threads: 2, spinMicroseconds: 50 },
  ];

  /** Microseconds of a step on a machine that is as the rule says. */
  function stepOf({ bytes, matrices, bits }, { threads, spinMicroseconds }) {
    const one = bytes / (bits > 8 ? 13_000 : 6500);
    if (threads === 1) return one;
    return one / 1.8 + matrices * (spinMicroseconds === 0 ? 20 : 5);
  }

  /** A record of three rounds; transformers.js takes twice as long, three times with its default. */
  function recordOf(chosenByDefault) {
    const rounds = [0, 1, 2].flatMap((round) => models.map((model) => ({ round, ...model })));
    const cellOf = (stepWeights, own, factor = 1) => {
      const idle = 1e6 / stepOf(stepWeights, own) / factor;
      return { streams: 1, promptTokens: 64, context: 64, idle, busy: idle / 2 };
    };
    return {
      settings,
      equal: settings[1],
      loads,
      defaults: rounds.map(({ round, model }) => ({
        round,
        model,
        workers: 1,
        ...chosenByDefault,
      })),
      openings: rounds.flatMap(({ round, model, stepWeights }) =>
        settings.map((own) => ({
          round,
          model,
          workers: 1,
          stepWeights,
          chosen: `${own.threads}/${own.spinMicroseconds}`,
          cells: [cellOf(stepWeights, own)],
        })),
      ),
      peers: rounds.flatMap(({ round, model, stepWeights }) =>
        [
          ["equal", 2],
          ["default", 3],
        ].map(([chosen, factor]) => ({
          round,
          model,
          chosen,
          cells: [cellOf(stepWeights, settings[1], factor)],
        })),
      ),
    };
  }
  const load = (milliseconds) => ({ milliseconds, reason: "measured while loading" });
  const loads = [{ model: "small", rule: load(100), first: load(108), second: load(99) }];

  it("gives back the numbers of the rule that made it", () => {
    const text = describeRecord(recordOf(settings[2]));
    expect(text).toContain("bytesPerMicrosecond: { floats: 13000, quantised: 6500 }");
    expect(text).toContain("furtherThread: 0.80");
    expect(text).toContain("handOffMicroseconds: { sleeping: 20.0, spinning: 5.0 }");
    expect(text).toContain("6 of 6 cells have a ratio of at least 0.97.");
    expect(text).toMatch(
      /small +100 +108 \(1\.080\) +99 \(0\.990\) +1 of 1 +measured while loading/,
    );
  });

  it("says where the default loses", () => {
    const text = describeRecord(recordOf(settings[0]));
    expect(text).toContain("0 of 6 cells have a ratio of at least 0.97.");
    expect(text).toMatch(
      /large +1 +64 +1 +idle +25\.0 \(1\/0\) +43\.\d \(2\/50\) +0\.5\d\d \(.*\) +below/,
    );
  });

  it("takes a round's default as it ran in that round", () => {
    const record = recordOf(settings[2]);
    // The second measurement chose otherwise.
    Object.assign(
      record.defaults.find(({ round, model }) => round === 1 && model === "large"),
      settings[0],
    );
    expect(describeRecord(record)).toMatch(
      /large +1 +64 +1 +idle +43\.\d \(2\/50, 1\/0\) +43\.\d \(2\/50\) +1\.000 \(0\.57 to 1\.00\)/,
    );
  });

  it("compares with transformers.js, at both defaults and at equal settings", () => {
    expect(describeRecord(recordOf(settings[1]))).toMatch(
      /large +64 +idle +39\.\d : 13\.\d = 3\.00 +39\.\d : 19\.\d = 2\.00\n/,
    );
    expect(describeRecord(recordOf(settings[0]))).toMatch(
      /large +64 +busy +.* = 1\.89 +.* = 2\.00 +below/,
    );
  });
});
