import { afterAll, describe, expect, it } from "vitest";
import { changePoints } from "../src/statistics/index.js";
import { likeliestShift } from "../src/statistics/level-shift.js";
import { createDraws } from "./noise-models.js";

/** Levels that last for some values each, with 1 % of noise. */
function series(seed: number, ...levels: readonly (readonly [level: number, count: number])[]) {
  const draws = createDraws(seed);
  return levels.flatMap(([level, count]) =>
    Array.from({ length: count }, () => level * (1 + 0.01 * draws.normal())),
  );
}

describe("change points", () => {
  it("are where a level changes", () => {
    const [point, ...rest] = changePoints(series(1, [100, 15], [106, 12]), { seed: 1 });
    expect(point?.index).toBe(15);
    expect(point?.significance).toBeLessThanOrEqual(0.01);
    expect(rest).toEqual([]);
  });

  it("are found where the level comes back", () => {
    const found = changePoints(series(2, [100, 14], [108, 12], [100, 14]), { seed: 1 });
    expect(found.map(({ index }) => index)).toEqual([14, 26]);
  });

  it("are where likelihood is largest, also next to correlated neighbours", () => {
    // By hand: one level leaves 1 of squares, two leave none, which counts as 10⁻¹² of that.
    const shift = likeliestShift([0, 0, 1, 1], "step", 2);
    expect(shift).toMatchObject({ from: 2, to: 4 });
    const values = correlated(createDraws(4), 40, 0.5).map(
      (value, at) => value + (at < 25 ? 0 : 6),
    );
    expect(likeliestShift(values, "step", 3)).toMatchObject({ from: 25, to: 40 });
  });

  it("are none in series that are constant or too short", () => {
    expect(
      changePoints(
        Array.from({ length: 20 }, () => 5),
        { seed: 1 },
      ),
    ).toEqual([]);
    expect(changePoints([1, 2, 3, 9], { seed: 1 })).toEqual([]);
    expect(changePoints([], { seed: 1 })).toEqual([]);
  });

  it("are the same for the same seed", () => {
    const values = series(5, [100, 10], [104, 10]);
    expect(changePoints(values, { seed: 3 })).toEqual(changePoints(values, { seed: 3 }));
  });
});

/** An AR(1) series around 0, of standard deviation 1. */
function correlated(
  draws: ReturnType<typeof createDraws>,
  length: number,
  correlation: number,
): number[] {
  let value = draws.normal();
  return Array.from({ length }, () => {
    const before = value;
    value = correlation * value + Math.sqrt(1 - correlation ** 2) * draws.normal();
    return before;
  });
}

/*
 * How often a change is found where there is none, and where there is one. `STREAMGAUGE_LONG_SIMULATION=1` takes
 * more lengths and series, and prints the shares that decision 21 gives.
 */
const isLong = process.env["STREAMGAUGE_LONG_SIMULATION"] === "1";
const quietSeries = isLong ? 1000 : 50;
const changedSeries = isLong ? 300 : 40;
const lengths = isLong ? [30, 45, 60] : [45];
const table: Record<string, Record<string, string>> = {};

afterAll(() => {
  if (isLong) console.table(table);
});

/** The share of series in which `isFound` finds it. */
function shareOf(
  row: string,
  length: number,
  correlation: number,
  levelAt: (at: number) => number,
  isFound: (indices: readonly number[]) => boolean,
  { count, deviation }: { readonly count: number; readonly deviation: number },
): number {
  // One after the other from one seed: neighbours of it would give series that are alike.
  const draws = createDraws(1851);
  const found = Array.from({ length: count }, (_, seed) => {
    const noise = correlated(draws, length, correlation);
    const values = noise.map((value, at) => levelAt(at) * (1 + deviation * value));
    return changePoints(values, { seed, resamples: 199 }).map(({ index }) => index);
  }).filter((indices) => isFound(indices));
  const share = found.length / count;
  (table[row] ??= {})[`${length} commits`] = `${(share * 100).toFixed(1)} %`;
  return share;
}

const patience = isLong ? 3_600_000 : 120_000;

describe.each(lengths)("of %i commits, a history", (length) => {
  it.each([0, 0.3, 0.5, 0.7])(
    "without a change seldom shows one, neighbours correlated by %s",
    (correlation) => {
      const row = `no change, AR ${correlation}`;
      const share = shareOf(
        row,
        length,
        correlation,
        () => 100,
        (indices) => indices.length > 0,
        { count: quietSeries, deviation: 0.025 },
      );
      // 5 % to 0.5. In fifty series 7 come up in one of a hundred tries of 5 %.
      const most = isLong ? (correlation > 0.5 ? 0.075 : 0.05) : 0.12;
      expect(share).toBeLessThanOrEqual(most);
    },
    patience,
  );

  it.each([
    [0, 0.02],
    [0, 0.025],
    [0, 0.03],
    [0.5, 0.02],
    [0.5, 0.025],
  ])(
    "shows a step of a tenth five commits later, neighbours correlated by %s, noise of %s",
    (correlation, deviation) => {
      const at = length - 5;
      const share = shareOf(
        `10 % five commits ago, AR ${correlation}, noise ${deviation * 100} %`,
        length,
        correlation,
        (index) => (index < at ? 100 : 110),
        (indices) => indices.some((index) => Math.abs(index - at) <= 2),
        { count: changedSeries, deviation },
      );
      expect(share).toBeGreaterThanOrEqual(0.8);
    },
    patience,
  );
});
