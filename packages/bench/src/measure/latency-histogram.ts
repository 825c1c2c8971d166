import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
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
    return {
      ...summaryOf(histogram, histogram.maxValue),
      histogram: encodeIntoCompressedBase64(histogram),
    };
  }
}

/**
 * What the histogram of a summary says itself. It keeps the largest value to three digits only: the
 * summary's is taken, if it lies where the histogram's does.
 *
 * @throws RangeError when the histogram does not decode
 */
export function summarizeAgain({
  histogram: text,
  maximumNanoseconds,
}: LatencySummary): LatencySummary {
  let histogram: Histogram;
  try {
    histogram = decodeFromCompressedBase64(text);
  } catch (cause) {
    throw new RangeError("The histogram does not decode.", { cause });
  }
  const isLargest = endOfBucket(maximumNanoseconds) === histogram.getValueAtPercentile(100);
  const maximum = isLargest ? maximumNanoseconds : histogram.maxValue;
  return { ...summaryOf(histogram, maximum), histogram: text };
}

/** The largest value that a histogram does not tell from this one; 0 for what it cannot hold. */
function endOfBucket(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) return 0;
  const histogram = build({ numberOfSignificantValueDigits: 3 });
  histogram.recordValue(value);
  return histogram.getValueAtPercentile(100);
}

function summaryOf(histogram: Histogram, maximum: number): Omit<LatencySummary, "histogram"> {
  // A percentile is the end of its bucket, which can lie above the largest value.
  const percentile = (percent: number): number =>
    Math.min(histogram.getValueAtPercentile(percent), maximum);
  return {
    count: histogram.totalCount,
    meanNanoseconds: Math.round(histogram.mean),
    minimumNanoseconds: percentile(0),
    p50Nanoseconds: percentile(50),
    p90Nanoseconds: percentile(90),
    p99Nanoseconds: percentile(99),
    p999Nanoseconds: percentile(99.9),
    maximumNanoseconds: maximum,
  };
}
