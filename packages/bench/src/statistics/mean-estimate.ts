import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Estimate, Interval } from "../record/index.js";
import { mean, standardDeviation } from "./descriptive.js";

/**
 * The mean with Student's t interval: x̄ ± t · s / √n, with n − 1 degrees of
 * freedom (Student 1908). Exact for normal samples, wide for symmetric ones with
 * heavy tails, and too narrow for few samples of a skewed distribution.
 *
 * @throws RangeError with fewer than two samples
 */
export function meanEstimate(samples: readonly number[]): Estimate {
  return {
    value: mean(samples),
    interval95: meanBounds(samples, 0.025),
    bounds95: meanBounds(samples, 0.05),
  };
}

/**
 * The one-sided bounds of {@link meanEstimate}, each of which misses the mean
 * with a probability of `tail`.
 *
 * @throws RangeError with fewer than two samples
 */
export function meanBounds(samples: readonly number[], tail: number): Interval {
  const center = mean(samples);
  const standardError = standardDeviation(samples) / Math.sqrt(samples.length);
  const reach = studentQuantile(1 - tail, samples.length - 1) * standardError;
  return { lower: center - reach, upper: center + reach };
}

/**
 * The effect that a one-sided test at 5 % finds with a probability of 90 %:
 * (t.95 + t.90) · s / √n, in the unit of the samples.
 *
 * @throws RangeError with fewer than two samples
 */
export function smallestDetectableEffect(samples: readonly number[]): number {
  const freedom = samples.length - 1;
  const reach = studentQuantile(0.95, freedom) + studentQuantile(0.9, freedom);
  return (reach * standardDeviation(samples)) / Math.sqrt(samples.length);
}
