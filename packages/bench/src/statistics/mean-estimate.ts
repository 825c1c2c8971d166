import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Estimate, Interval } from "../record/index.js";
import { mean, sampleSkewness, standardDeviation } from "./descriptive.js";

/**
 * The mean with the wider of two intervals, on each side by itself: Student's t
 * (x̄ ± t · s / √n), exact for normal samples, and the same with Hall's correction
 * for skewness, because t is too narrow for few samples of a skewed distribution.
 * Neither sees what no sample shows.
 *
 * @throws RangeError with fewer than two samples
 */
export function meanEstimate(samples: readonly number[]): Estimate {
  return estimateMean(errorOf(samples));
}

/**
 * The one-sided bounds of {@link meanEstimate}, each of which misses the mean
 * with a probability of `tail`.
 *
 * @throws RangeError with fewer than two samples
 */
export function meanBounds(samples: readonly number[], tail: number): Interval {
  return boundMean(errorOf(samples), tail);
}

/** How far a mean may be from what it estimates. */
export interface MeanError {
  readonly value: number;
  readonly standardError: number;
  /** Degrees of freedom of the standard error. */
  readonly freedom: number;
  /** Of the mean's own distribution: that of the samples / √n. */
  readonly skewness: number;
}

/** A mean with its intervals. */
export function estimateMean(error: MeanError): Estimate {
  return {
    value: error.value,
    interval95: boundMean(error, 0.025),
    bounds95: boundMean(error, 0.05),
  };
}

function boundMean({ value, standardError, freedom, skewness }: MeanError, tail: number): Interval {
  const reach = studentQuantile(1 - tail, freedom);
  return {
    lower: value - standardError * Math.max(reach, unskew(reach, skewness)),
    upper: value - standardError * Math.min(-reach, unskew(-reach, skewness)),
  };
}

/**
 * The studentised mean W whose transform is `transformed`. Hall 1992, "On the removal of
 * skewness by transformation", g(W) = W + γ W² / 3 + γ² W³ / 27 + γ / 6 with γ the mean's
 * skewness: g(W) is nearly as symmetric as t. It rises everywhere, so there is one W.
 */
function unskew(transformed: number, skewness: number): number {
  // Rounding would take over.
  if (Math.abs(skewness) < 1e-6) return transformed;
  return (3 / skewness) * (Math.cbrt(1 + skewness * (transformed - skewness / 6)) - 1);
}

function errorOf(samples: readonly number[]): MeanError {
  return {
    value: mean(samples),
    standardError: standardDeviation(samples) / Math.sqrt(samples.length),
    freedom: samples.length - 1,
    skewness: sampleSkewness(samples) / Math.sqrt(samples.length),
  };
}

/**
 * The effect that a one-sided test at 5 % finds with a probability of 90 %:
 * (t.95 + t.90) standard errors, in the unit of the samples.
 */
export function detectableEffect({
  standardError,
  freedom,
}: Pick<MeanError, "standardError" | "freedom">): number {
  return (studentQuantile(0.95, freedom) + studentQuantile(0.9, freedom)) * standardError;
}

/** {@link detectableEffect} of independent samples. @throws RangeError with fewer than two */
export function smallestDetectableEffect(samples: readonly number[]): number {
  return detectableEffect(errorOf(samples));
}
