import { describe, expect, it } from "vitest";
import { holm } from "../src/statistics/index.js";

/** Holm's correction over p-values, by way of tests. */
function rejected(...pValues: number[]): number[] {
  const found = holm(pValues.length, 0.05, (index, level) => pValues[index]! <= level);
  return [...found].toSorted((first, second) => first - second);
}

describe("holm", () => {
  it("steps down: the smallest at alpha / k, the next at alpha / (k − 1)", () => {
    // Holm 1979: 0.01 ≤ 0.05/4, 0.015 ≤ 0.05/3, 0.03 > 0.05/2.
    expect(rejected(0.03, 0.01, 0.04, 0.015)).toEqual([1, 3]);
    // Bonferroni would keep the second.
    expect(rejected(0.01, 0.02)).toEqual([0, 1]);
  });

  it("stops at the first that is not rejected, whatever comes after", () => {
    expect(rejected(0.02, 0.04, 0.045)).toEqual([]);
  });

  it("rejects nothing of nothing", () => {
    expect(rejected()).toEqual([]);
  });
});
