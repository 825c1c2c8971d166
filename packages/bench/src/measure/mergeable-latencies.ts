import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
import { highestTrackableNanoseconds, type ExactLatencies } from "../record/index.js";

const digits = 3;

/**
 * Collects nanoseconds so that two collections, made in two processes or on two machines, can be
 * added: the sum is what one that had seen all of them would be, to the last byte.
 *
 * The histogram has fixed parameters. One that grows with its values, as `LatencyHistogram` has,
 * encodes differently after another order of values.
 */
export class MergeableLatencies {
  readonly #histogram: Histogram = build({
    numberOfSignificantValueDigits: digits,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestTrackableNanoseconds,
    autoResize: false,
  });
  #sum = 0n;
  #minimum = Infinity;
  #maximum = -Infinity;

  /** Adds one latency, rounded to a nanosecond. Below 0 is 0: nothing ends before it was due. */
  add(nanoseconds: number): void {
    const value = Math.max(0, Math.round(nanoseconds));
    this.#histogram.recordValue(Math.min(value, highestTrackableNanoseconds));
    this.#sum += BigInt(value);
    this.#minimum = Math.min(this.#minimum, value);
    this.#maximum = Math.max(this.#maximum, value);
  }

  /**
   * Adds all of another collection; null is an empty one.
   *
   * @throws RangeError for a histogram that does not decode, has other parameters, or does not hold
   *   what is beside it
   */
  merge(other: ExactLatencies | null): void {
    if (other === null) return;
    const histogram = decode(other);
    this.#histogram.add(histogram);
    this.#sum += BigInt(other.sumNanoseconds);
    this.#minimum = Math.min(this.#minimum, other.minimumNanoseconds);
    this.#maximum = Math.max(this.#maximum, other.maximumNanoseconds);
  }

  /** What was added so far, as a record holds it; null if nothing was. */
  summarize(): ExactLatencies | null {
    const histogram = this.#histogram;
    if (histogram.totalCount === 0) return null;
    // A percentile is the end of its bucket, which can lie above the largest value.
    const percentile = (percent: number): number =>
      Math.min(histogram.getValueAtPercentile(percent), this.#maximum);
    return {
      count: histogram.totalCount,
      sumNanoseconds: this.#sum.toString(),
      minimumNanoseconds: this.#minimum,
      maximumNanoseconds: this.#maximum,
      p50Nanoseconds: percentile(50),
      p90Nanoseconds: percentile(90),
      p99Nanoseconds: percentile(99),
      p999Nanoseconds: percentile(99.9),
      histogram: encodeIntoCompressedBase64(histogram),
    };
  }
}

/** The mean, from the exact sum. */
export function meanNanoseconds({ sumNanoseconds, count }: ExactLatencies): number {
  return Number(sumNanoseconds) / count;
}

function decode({ histogram: text, count, sumNanoseconds }: ExactLatencies): Histogram {
  // The library's interface does not name the lowest value; its classes have it.
  let histogram: Histogram & { readonly lowestDiscernibleValue?: number };
  try {
    histogram = decodeFromCompressedBase64(text);
  } catch (cause) {
    throw new RangeError("A histogram of the load does not decode.", { cause });
  }
  if (
    histogram.numberOfSignificantValueDigits !== digits ||
    histogram.lowestDiscernibleValue !== 1 ||
    histogram.highestTrackableValue !== highestTrackableNanoseconds
  ) {
    throw new RangeError(
      "A histogram of the load has other parameters than those of this version.",
    );
  }
  if (histogram.totalCount !== count || !/^\d+$/.test(sumNanoseconds)) {
    throw new RangeError("A histogram of the load does not hold the latencies that are beside it.");
  }
  return histogram;
}
