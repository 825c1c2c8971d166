import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";

/** A distribution of times: integer nanoseconds, three significant digits. */
export interface LatencyDistribution {
  readonly count: number;
  readonly p50Nanoseconds: number;
  readonly p90Nanoseconds: number;
  readonly p99Nanoseconds: number;
  readonly maximumNanoseconds: number;
  readonly meanNanoseconds: number;
  /**
   * The whole of it as an HDR histogram of nanoseconds, V2 compressed, base64
   * (`HISTFAAAA…`). Histograms of several processes are merged by adding;
   * percentiles are not.
   */
  readonly histogram: string;
}

/** Collects times in an HDR histogram. */
export class LatencyHistogram {
  readonly #histogram: Histogram = build({ numberOfSignificantValueDigits: 3 });

  add(milliseconds: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(milliseconds * 1e6)));
  }

  summarize(): LatencyDistribution {
    const histogram = this.#histogram;
    // A percentile is the end of its bucket, which can lie above the largest value.
    const percentile = (percent: number): number =>
      Math.min(histogram.getValueAtPercentile(percent), histogram.maxValue);
    return {
      count: histogram.totalCount,
      p50Nanoseconds: percentile(50),
      p90Nanoseconds: percentile(90),
      p99Nanoseconds: percentile(99),
      maximumNanoseconds: histogram.maxValue,
      meanNanoseconds: Math.round(histogram.mean),
      histogram: encodeIntoCompressedBase64(histogram),
    };
  }
}
