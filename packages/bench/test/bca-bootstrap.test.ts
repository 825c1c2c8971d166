import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import {
  acceleration,
  bcaInterval,
  biasCorrection,
  standardDeviation,
  type Bootstrap,
} from "../src/statistics/index.js";

/** Spatial test, scores A: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", table 14.1. */
const spatial = [
  48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30,
  41,
];

/** The plug-in variance (n in the denominator), as in the book. */
function variance(values: readonly number[]): number {
  return (standardDeviation(values) ** 2 * (values.length - 1)) / values.length;
}

function bootstrapVariance(resamples: number): Bootstrap {
  const random = xoroshiro128plus(14);
  const draw = (): number => spatial[uniformInt(random, 0, spatial.length - 1)] ?? 0;
  return {
    estimate: variance(spatial),
    replicates: Float64Array.from({ length: resamples }, () => variance(spatial.map(draw))),
    jackknife: [spatial.map((_, index) => variance(spatial.toSpliced(index, 1)))],
  };
}

describe("BCa", () => {
  const bootstrap = bootstrapVariance(20_000);

  it("gives Efron and Tibshirani's estimate and acceleration", () => {
    // Section 14.3: 171.5 and 0.061. The acceleration comes from the jackknife, without chance.
    expect(bootstrap.estimate).toBeCloseTo(171.534, 3);
    expect(acceleration(bootstrap)).toBeCloseTo(0.061, 3);
  });

  it("gives their bias correction and interval, up to chance", () => {
    // The book's 0.146 and (115.8, 259.6) come from 2,000 resamples. SciPy 1.17.1 with 100,000:
    // (115.3, 260.5).
    expect(Math.abs(biasCorrection(bootstrap) - 0.146)).toBeLessThan(0.03);
    const { lower, upper } = bcaInterval(bootstrap, 0.05);
    expect(Math.abs(lower - 115.3)).toBeLessThan(1.5);
    expect(Math.abs(upper - 260.5)).toBeLessThan(2.5);
  });

  it("is the percentile interval without bias and acceleration", () => {
    const replicates = Float64Array.from({ length: 999 }, (_, index) => 999 - index);
    const plain = { estimate: 500, replicates, jackknife: [[1, 1, 1]] };
    expect(biasCorrection(plain)).toBeCloseTo(0, 12);
    expect(acceleration(plain)).toBe(0);
    const { lower, upper } = bcaInterval(plain, 0.05);
    // Ranks ⌊1000 · 0.05⌋ from either end; the cumulative function may round below 50.
    expect([50, 49]).toContain(lower);
    expect([950, 951]).toContain(upper);
  });

  it("stays within the replicates when all lie on one side", () => {
    const replicates = Float64Array.from([2, 3, 4]);
    const { lower, upper } = bcaInterval({ estimate: 1, replicates, jackknife: [[1, 2]] }, 0.025);
    expect(lower).toBeGreaterThanOrEqual(2);
    expect(upper).toBeLessThanOrEqual(4);
  });
});
