import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import type { LatencySummary } from "../record/index.js";

/** Collects nanoseconds in an HDR histogram of three significant digits. */
export class LatencyHistogram {
  readonly #histogram: Histogram = build({ numberOfSignificantValueDigits: 3 });

  /** Adds one latency. Clocks of two threads agree to less than a microsecond, not exactly: below 0 is 0. */
  add(nanoseconds: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(nanoseconds)));
  }

  /** What was added so far, in the form that a record holds. */
  summarize(): LatencySummary {
    const histogram = this.#histogram;
    // A percentile is the end of its bucket, which can lie above the largest value.
    const percentile = (percent: number): number =>
      Math.min(histogram.getValueAtPercentile(percent), histogram.maxValue);
    return {
      count: histogram.totalCount,
      meanNanoseconds: Math.round(histogram.mean),
      minimumNanoseconds: percentile(0),
      p50Nanoseconds: percentile(50),
      p90Nanoseconds: percentile(90),
      p99Nanoseconds: percentile(99),
      p999Nanoseconds: percentile(99.9),
      maximumNanoseconds: histogram.maxValue,
      histogram: encodeIntoCompressedBase64(histogram),
    };
  }
}
