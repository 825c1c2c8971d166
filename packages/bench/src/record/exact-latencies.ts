import { number, object, string, type Check, type Shape } from "./shape.js";

/**
 * Nanoseconds of many requests in a form that merges exactly: histograms of these parameters are
 * added bucket by bucket, and count, sum, minimum and maximum are exact beside them.
 */
export interface ExactLatencies {
  /** At least 1. */
  readonly count: number;
  /** In decimal digits, because a sum of many can be beyond 2⁵³. */
  readonly sumNanoseconds: string;
  readonly minimumNanoseconds: number;
  /** Exact; the histogram keeps three digits of it. */
  readonly maximumNanoseconds: number;
  /** Percentiles are those of the histogram, and never above the maximum. */
  readonly p50Nanoseconds: number;
  readonly p90Nanoseconds: number;
  readonly p99Nanoseconds: number;
  readonly p999Nanoseconds: number;
  /**
   * HdrHistogram V2, compressed, base64: three significant digits, from 1 ns to
   * {@link highestTrackableNanoseconds}. Larger values are counted in the last bucket.
   */
  readonly histogram: string;
}

/** A day. All histograms of {@link ExactLatencies} reach to it, so that they can be added. */
export const highestTrackableNanoseconds: number = 24 * 3600 * 1e9;

const shape: Shape<ExactLatencies> = {
  count: number,
  sumNanoseconds: string,
  minimumNanoseconds: number,
  maximumNanoseconds: number,
  p50Nanoseconds: number,
  p90Nanoseconds: number,
  p99Nanoseconds: number,
  p999Nanoseconds: number,
  histogram: string,
};

/** Checks {@link ExactLatencies}. */
export const exactLatencies: Check<ExactLatencies> = object(shape);
