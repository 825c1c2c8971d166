import { afterAll, describe, expect, it } from "vitest";
import { createDraw } from "../src/statistics/draw.js";
import { percentileRatio, type BlockValues } from "../src/statistics/index.js";
import { createDraws, noiseModels, simulateProcess, type NoiseModel } from "./noise-models.js";
import { contains, experiments, limit, patience, seed, Tally, truth } from "./simulation.js";

/** Heights of crossed and self-fertilised maize, inches: Darwin 1876, in Fisher 1935, section 14. */
const crossed = [
  23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12,
];
const selfed = [
  17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18,
];
const maize: BlockValues[] = crossed.map((height, index) => ({
  baseline: [selfed[index] ?? 0],
  treated: [height],
}));

const table: Record<string, Record<string, string>> = {};

afterAll(() => {
  console.log(`BCa intervals of ratios of percentiles, ${experiments} experiments each; percent`);
  console.table(table);
});

describe("percentileRatio", () => {
  it("agrees with SciPy's paired BCa bootstrap of the same statistic", () => {
    // scipy.stats.bootstrap 1.17.1, method="BCa", paired=True, 100,000 resamples.
    const middle = percentileRatio([maize], {
      percent: 50,
      draw: createDraw(1),
      resamples: 20_000,
    });
    expect(middle.value).toBeCloseTo(1.194444, 6);
    expect(middle.bounds95.lower).toBeCloseTo(1.127517, 6);
    expect(middle.bounds95.upper).toBeCloseTo(1.310606, 6);
    const high = percentileRatio([maize], { percent: 90, draw: createDraw(1), resamples: 20_000 });
    expect(high.value).toBeCloseTo(1.1625, 6);
    expect(high.interval95.lower).toBeCloseTo(1.10625, 6);
    expect(high.interval95.upper).toBeCloseTo(1.305556, 6);
  });

  it("gives the same interval for the same seed, and another for another", () => {
    const with10 = (start: number) =>
      percentileRatio([maize], { percent: 50, draw: createDraw(start), resamples: 10 });
    expect(with10(1)).toEqual(with10(1));
    expect(with10(1)).not.toEqual(with10(2));
  });

  it("draws within processes: what differs only between them is not scatter", () => {
    const flat = (level: number): BlockValues[] =>
      Array.from({ length: 5 }, () => ({ baseline: [level], treated: [2 * level] }));
    const { value, interval95 } = percentileRatio([flat(1), flat(3)], {
      percent: 75,
      draw: createDraw(1),
      resamples: 200,
    });
    expect([value, interval95.lower, interval95.upper]).toEqual([2, 2, 2]);
  });

  it("takes a block for one sample, however many tokens it has", () => {
    const repeated = maize.map(({ baseline, treated }) => ({
      baseline: Array.from({ length: 50 }, () => baseline[0] ?? 0),
      treated: Array.from({ length: 50 }, () => treated[0] ?? 0),
    }));
    const ratioOf = (blocks: readonly BlockValues[]) =>
      percentileRatio([blocks], { percent: 50, draw: createDraw(1), resamples: 500 });
    expect(ratioOf(repeated)).toEqual(ratioOf(maize));
  });

  it("refuses what has no ratio", () => {
    const options = { percent: 50, draw: createDraw(1), resamples: 10 };
    const with0 = [...maize, { baseline: [0], treated: [1] }];
    const without = [...maize, { baseline: [], treated: [1] }];
    for (const blocks of [maize.slice(0, 5), with0, without]) {
      expect(() => percentileRatio([blocks], options)).toThrow(RangeError);
    }
  });
});

function simulateCoverage(model: NoiseModel, percent: number): Tally<"covers"> {
  const draws = createDraws(seed);
  const tally = new Tally<"covers">();
  for (let experiment = 0; experiment < experiments; experiment += 1) {
    const processes = Array.from({ length: 4 }, () =>
      simulateProcess(model, draws, { blocks: 10, overhead: truth }).map(({ runs }) => ({
        baseline: runs.filter(isOf("generate")).map((run) => run.endToEndNanoseconds),
        treated: runs.filter(isOf("stream")).map((run) => run.endToEndNanoseconds),
      })),
    );
    const ratio = percentileRatio(processes, {
      percent,
      draw: createDraw(experiment),
      resamples: 500,
    });
    tally.count("covers", contains(ratio, 1 + limit));
  }
  table[`${model.name}, percentile ${percent}, 4 × 10 blocks`] = tally.percents();
  return tally;
}

describe("percentileRatio on simulated machines", () => {
  it.each([
    ["white", 50, noiseModels.white],
    ["heavy-tailed spikes", 90, noiseModels.spikes],
  ] as const)(
    "covers the true ratio on the noise %s, percentile %d",
    (_, percent, model) => {
      expect(simulateCoverage(model, percent).outside(["covers"], 0.93, 0.97)).toEqual({});
    },
    patience,
  );

  it(
    "shows a known limit: under drift blocks are not independent",
    () => {
      const share = simulateCoverage(noiseModels.drift, 50).share("covers");
      expect(share).toBeGreaterThan(0.85);
      expect(share).toBeLessThan(0.95);
    },
    patience,
  );
});

function isOf(wanted: string): (run: { readonly treatment: string }) => boolean {
  return ({ treatment }) => treatment === wanted;
}
