import { describe, expect, it } from "vitest";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { batchSlope } from "../src/statistics/index.js";

/** Values with a slope and noise of which each is like the one before (AR(1)). */
function course(seed: number, slope: number, correlation: number) {
  const generator = xoroshiro128plus(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator))) *
    Math.cos(2 * Math.PI * uniformFloat64(generator));
  let noise = 0;
  return Array.from({ length: 100 }, (_, x) => {
    noise = correlation * noise + normal();
    return { x, y: 5 + slope * x + noise };
  });
}

function coverage(correlation: number, batches: number): number {
  const runs = 1000;
  let covered = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const { lower, upper } = batchSlope(course(seed, 0.25, correlation), batches).interval95;
    if (lower <= 0.25 && 0.25 <= upper) covered += 1;
  }
  return covered / runs;
}

describe("the slope of batch means", () => {
  it("is exact on a line, whatever does not fill a batch", () => {
    const points = Array.from({ length: 37 }, (_, x) => ({ x, y: 3 - 2 * x }));
    const { value, interval95 } = batchSlope(points, 10);
    expect(value).toBeCloseTo(-2, 12);
    expect(interval95.upper - interval95.lower).toBeLessThan(1e-9);
  });

  it("has an interval that covers the slope as often as it says", () => {
    expect(coverage(0, 10)).toBeGreaterThan(0.93);
    expect(coverage(0, 10)).toBeLessThan(0.97);
  });

  it("keeps most of that where each value is like the one before, and single points do not", () => {
    expect(coverage(0.7, 10)).toBeGreaterThan(0.88);
    expect(coverage(0.7, 100)).toBeLessThan(0.7);
  });

  it("needs three batches and a point for each", () => {
    expect(() => batchSlope(course(1, 0, 0), 2)).toThrow(RangeError);
    expect(() => batchSlope(course(1, 0, 0).slice(0, 9), 10)).toThrow(RangeError);
  });
});
