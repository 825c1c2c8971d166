import { afterAll, describe, expect, it } from "vitest";
import {
  decideSequentially,
  mean,
  sequentialLooks,
  type SequentialLook,
} from "../src/statistics/index.js";
import { createDraws, logRatios, noiseModels, simulateProcess } from "./noise-models.js";
import { experiments, patience, seed, Tally, truth } from "./simulation.js";

const table: Record<string, Record<string, string>> = {};

afterAll(() => {
  console.log(`Four looks, ${experiments} experiments each, truth exactly on the limit; percent`);
  console.table(table);
});

/** All samples are there, and each look takes its share of them. */
function decide(samples: readonly number[], limit: number, looks: readonly SequentialLook[]) {
  return decideSequentially(looks, limit, (look) =>
    samples.length < look.samples ? undefined : samples.slice(0, look.samples),
  );
}

describe("decideSequentially", () => {
  const looks = sequentialLooks({ looks: [8, 16, 24], spending: "pocock", alpha: 0.05 });
  const around = (center: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => center + (index % 2 === 0 ? 0.01 : -0.01));

  it("waits for the first look", () => {
    expect(decide(around(0, 7), 0.05, looks)).toEqual({
      side: "undecided",
      look: null,
      bounds: null,
    });
  });

  it("stops at the first look that shows a side", () => {
    const low = decide(around(0, 24), 0.05, looks);
    expect(low).toMatchObject({ side: "below", look: looks[0] });
    expect(low.bounds?.mean.upper).toBeLessThan(0.05);
    expect(decide(around(0.1, 8), 0.05, looks).side).toBe("above");
  });

  it("asks for the next look while both sides are possible, and ends at the cap", () => {
    const at = (count: number) => decide(around(0.05, count), 0.05, looks);
    expect(at(8)).toMatchObject({ side: "undecided", look: looks[0] });
    expect(at(23)).toMatchObject({ side: "undecided", look: looks[1] });
    expect(at(24)).toMatchObject({ side: "undecided", look: looks[2] });
    expect(at(1000)).toEqual(at(24));
  });

  it("keeps to what an earlier look decided, whatever came later", () => {
    const samples = [...around(0, 8), ...around(0.3, 16)];
    expect(decide(samples, 0.05, looks)).toMatchObject({
      side: "below",
      look: looks[0],
    });
  });

  it("needs both estimators: the median alone upholds nothing", () => {
    const stalled = around(0, 24).map((value, index) => (index % 6 === 0 ? 0.8 : value));
    expect(decide(stalled, 0.05, looks).side).toBe("undecided");
  });

  it("cannot decide where so few samples exclude nothing at the look's level", () => {
    const early = sequentialLooks({ looks: [6, 60], spending: "obrien-fleming", alpha: 0.05 });
    const decision = decide(around(0, 6), 0.05, early);
    expect(decision.bounds?.hodgesLehmann).toEqual({ lower: -Infinity, upper: Infinity });
    expect(decision).toMatchObject({ side: "undecided" });
  });
});

type SequentialFigure =
  | "obrien-fleming upholds"
  | "obrien-fleming refutes"
  | "pocock upholds"
  | "pocock refutes"
  | "uncorrected upholds";

const spendings = ["obrien-fleming", "pocock"] as const;

/** Looks that each take the full 5 %, as if it were the only one. */
function uncorrected(looks: readonly number[]): SequentialLook[] {
  return looks.map((samples) => ({ samples, spent: 0.05, critical: 1.645, tail: 0.05 }));
}

describe("decideSequentially on simulated machines", () => {
  it.each([
    ["white", noiseModels.white, 1, [16, 32, 48, 64]],
    ["AR(1) drift", noiseModels.drift, 1, [16, 32, 48, 64]],
    ["heavy-tailed spikes", noiseModels.spikes, 1, [16, 32, 48, 64]],
    ["between processes", noiseModels.betweenProcesses, 5, [8, 12, 16, 20]],
  ] as const)(
    "may look four times: %s",
    (name, model, blocksOfSample, looks) => {
      const draws = createDraws(seed);
      const plans = spendings.map((spending) => ({
        spending,
        looks: sequentialLooks({ looks, spending, alpha: 0.05 }),
      }));
      const cap = Math.max(...looks);
      const run = (count: number): number[] =>
        logRatios(simulateProcess(model, draws, { blocks: count, overhead: truth }), "stream");
      const tally = new Tally<SequentialFigure>();
      for (let experiment = 0; experiment < experiments; experiment += 1) {
        // Samples are blocks in one process, and process means where processes differ.
        const samples =
          blocksOfSample === 1
            ? run(cap)
            : Array.from({ length: cap }, () => mean(run(blocksOfSample)));
        for (const plan of plans) {
          const { side } = decide(samples, truth, plan.looks);
          tally.count(`${plan.spending} upholds`, side === "below");
          tally.count(`${plan.spending} refutes`, side === "above");
        }
        const naive = decide(samples, truth, uncorrected(looks));
        tally.count("uncorrected upholds", naive.side === "below");
      }
      table[`${name}, looks at ${looks.join(", ")}`] = tally.percents();
      expect(tally.outside(["obrien-fleming upholds", "obrien-fleming refutes"], 0, 0.06)).toEqual(
        {},
      );
      expect(tally.outside(["pocock upholds", "pocock refutes"], 0, 0.06)).toEqual({});
      // What the correction is for.
      expect(tally.share("uncorrected upholds")).toBeGreaterThan(0.06);
    },
    patience,
  );
});
