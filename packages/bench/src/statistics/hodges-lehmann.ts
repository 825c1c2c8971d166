import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import signedRankQuantile from "@stdlib/stats-base-dists-signrank-quantile";
import type { Estimate, Interval } from "../record/index.js";
import { medianOfSorted, requireSamples } from "./descriptive.js";

/** Fewest samples with a two-sided 95 % Wilcoxon interval: 2 · 2⁻⁶ < 0.05 < 2 · 2⁻⁵. */
export const minimumSamples = 6;

/** Above this many samples the exact signed-rank quantile takes longer than it is worth. */
const largestExactSample = 100;

/** Exact quantiles by tail and count: one of 100 samples takes a quarter of a second. */
const knownRanks = new Map<string, number>();

/** The means of all pairs of values, each value with itself included, ascending. */
export function walshAverages(values: readonly number[]): Float64Array {
  const averages = new Float64Array((values.length * (values.length + 1)) / 2);
  let next = 0;
  for (let first = 0; first < values.length; first += 1) {
    for (let second = first; second < values.length; second += 1) {
      averages[next] = ((values[first] as number) + (values[second] as number)) / 2;
      next += 1;
    }
  }
  return averages.toSorted();
}

/**
 * The Hodges–Lehmann estimate (median of the Walsh averages) with the interval
 * of all shifts that the Wilcoxon signed-rank test does not reject: Hollander
 * and Wolfe, "Nonparametric Statistical Methods", sections 3.2 and 3.3. What it
 * estimates is the pseudo-median; of a symmetric distribution, such as the
 * log-ratio of two runs with the same noise, that is the median and the mean.
 * For how exact it is see {@link hodgesLehmannBounds}.
 *
 * @throws RangeError with fewer than {@link minimumSamples} samples
 */
export function hodgesLehmann(samples: readonly number[]): Estimate {
  requireSamples(samples, minimumSamples);
  const averages = walshAverages(samples);
  return {
    value: medianOfSorted(averages),
    interval95: boundsAmong(averages, samples.length, 0.025),
    bounds95: boundsAmong(averages, samples.length, 0.05),
  };
}

/**
 * The one-sided bounds, each of which misses the pseudo-median with a
 * probability of at most `tail`; infinite where so few samples can exclude
 * nothing at that level (2⁻ⁿ ≥ tail). Exact up to 100 samples. Above, the rank
 * comes from the normal approximation: at 2.5 % by then off by less than one of
 * more than 5,000, farther out too low, which errs to the wide side.
 *
 * @param tail between 0 and 0.5
 * @throws RangeError without samples
 */
export function hodgesLehmannBounds(samples: readonly number[], tail: number): Interval {
  requireSamples(samples, 1);
  return boundsAmong(walshAverages(samples), samples.length, tail);
}

function boundsAmong(averages: Float64Array, count: number, tail: number): Interval {
  const rank = signedRank(tail, count);
  if (rank < 1) return { lower: -Infinity, upper: Infinity };
  return {
    lower: averages[rank - 1] as number,
    upper: averages[averages.length - rank] as number,
  };
}

function signedRank(tail: number, count: number): number {
  if (count > largestExactSample) {
    const center = (count * (count + 1)) / 4;
    const deviation = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
    return Math.floor(center + normalQuantile(tail, 0, 1) * deviation);
  }
  const key = `${tail} ${count}`;
  const rank = knownRanks.get(key) ?? signedRankQuantile(tail, count);
  knownRanks.set(key, rank);
  return rank;
}
