import { describe, expect, it } from "vitest";
import { changePoints } from "../src/statistics/index.js";
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

  it("are seldom found in noise", () => {
    const alarms = Array.from({ length: 60 }, (_, seed) =>
      changePoints(series(seed, [100, 20]), { seed, permutations: 199 }),
    ).filter(({ length }) => length > 0);
    // 1 % is promised; 4 of 60 would come in less than one of 300 tries.
    expect(alarms.length).toBeLessThan(4);
  });

  it("cut where the energy statistic is largest", () => {
    // By hand: of 0, 0, 1, 1 with segments of two, Q = (2·2/4)(2·1 − 0 − 0) = 2 at index 2.
    const found = changePoints([0, 0, 1, 1], {
      seed: 1,
      smallestSegment: 2,
      significance: 1,
    });
    expect(found.map(({ index }) => index)).toEqual([2]);
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
