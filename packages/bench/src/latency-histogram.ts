import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import type { LatencySummary } from "./record/distribution.js";

/**
 * The distribution of latencies as the record holds it.
 *
 * @param nanoseconds one latency each, at least one; below 0, which the clocks
 *   of two threads can give, counts as 0
 * @throws RangeError without values
 */
export function summarizeLatencies(nanoseconds: readonly number[]): LatencySummary {
  if (nanoseconds.length === 0) throw new RangeError("There is no latency to summarize.");
  const histogram = build({ numberOfSignificantValueDigits: 3 });
  for (const value of nanoseconds) histogram.recordValue(Math.max(0, Math.round(value)));
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
