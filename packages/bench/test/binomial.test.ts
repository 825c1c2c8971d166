import { describe, expect, it } from "vitest";
import { binomialInterval95 } from "../src/statistics/index.js";

/** Chance of a count up to `count` where each of `of` has the chance `share`. */
function chanceUpTo(count: number, of: number, share: number): number {
  let sum = 0;
  let ways = 1;
  for (let seen = 0; seen <= count; seen += 1) {
    sum += ways * share ** seen * (1 - share) ** (of - seen);
    ways = (ways * (of - seen)) / (seen + 1);
  }
  return sum;
}

describe("the exact interval of a share", () => {
  it.each([
    [1, 4],
    [2, 40],
    [20, 40],
    [38, 40],
    [1, 200],
  ])("of %i of %i ends where either count has a chance of 2.5 %%", (count, of) => {
    const { lower, upper } = binomialInterval95(count, of);
    expect(1 - chanceUpTo(count - 1, of, lower)).toBeCloseTo(0.025, 9);
    expect(chanceUpTo(count, of, upper)).toBeCloseTo(0.025, 9);
  });

  it("ends at nothing and at all", () => {
    expect(binomialInterval95(0, 40).lower).toBe(0);
    expect(binomialInterval95(0, 40).upper).toBeCloseTo(1 - 0.025 ** (1 / 40), 9);
    expect(binomialInterval95(40, 40).lower).toBeCloseTo(0.025 ** (1 / 40), 9);
    expect(binomialInterval95(40, 40).upper).toBe(1);
  });
});
