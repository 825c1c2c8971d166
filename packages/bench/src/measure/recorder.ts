import type { StreamToken } from "@streamgauge/core";
import { measureCost, type Clock } from "../plan/clock.js";
import { LatencyHistogram } from "./latency-histogram.js";
import {
  treatments,
  type Distribution,
  type DistributionMetric,
  type Treatment,
} from "../record/index.js";

/** The times of the tokens of one run: integers, since the call. */
export interface TokenTimes {
  readonly deliveredNanoseconds: Float64Array;
  /** NaN where the generator does not say. As long as the first. */
  readonly producedNanoseconds: Float64Array;
  /** Time inside the user's callback; as long as the others, or empty where it is not timed. */
  readonly callbackNanoseconds: Float64Array;
}

/** In nanoseconds. A token made longer ago carries the time of another clock, which says nothing. */
const tenDays = 10 * 86_400e9;

/**
 * Takes the time of each token of one run into arrays made beforehand. Recording
 * is part of what streaming is charged with, so it only reads the clock and
 * stores; everything else waits until the run is over.
 */
export class TokenRecorder {
  readonly #clock: Clock;
  readonly #delivered: Float64Array;
  readonly #produced: Float64Array;
  readonly #callback: Float64Array;
  #count = 0;
  #callbacks = 0;

  /** @param capacity most tokens of one run; further ones are counted, not kept */
  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#delivered = new Float64Array(capacity);
    this.#produced = new Float64Array(capacity);
    this.#callback = new Float64Array(capacity);
  }

  /** Forgets the run before. */
  reset(): void {
    this.#count = 0;
    this.#callbacks = 0;
  }

  /** To be called first thing when a token arrives. */
  record(token: StreamToken): void {
    const index = this.#count;
    this.#count = index + 1;
    this.#delivered[index] = this.#clock.nowNanoseconds();
    this.#produced[index] = token.producedAtMilliseconds ?? Number.NaN;
  }

  /** To be called when the user's code is done with the token recorded last. */
  recordCallback(): void {
    const index = this.#count - 1;
    this.#callbacks = this.#count;
    this.#callback[index] = this.#clock.nowNanoseconds() - (this.#delivered[index] as number);
  }

  /** Tokens recorded since {@link reset}. */
  get count(): number {
    return this.#count;
  }

  /**
   * A copy of what was recorded, in whole nanoseconds since a reading of the
   * clock: everything that is reported is derived from these integers, so that
   * it can be derived again from a file of them.
   */
  since(startNanoseconds: number): TokenTimes {
    return {
      deliveredNanoseconds: this.#delivered
        .subarray(0, this.#count)
        .map((nanoseconds) => Math.round(nanoseconds - startNanoseconds)),
      producedNanoseconds: this.#produced
        .subarray(0, this.#count)
        .map((milliseconds) => Math.round(milliseconds * 1e6 - startNanoseconds))
        .map((nanoseconds) => (Math.abs(nanoseconds) < tenDays ? nanoseconds : Number.NaN)),
      callbackNanoseconds: this.#callback.subarray(0, this.#callbacks).map(Math.round),
    };
  }
}

/** The times of several streams at once, one stream after the other. */
export function joinTimes(streams: readonly TokenTimes[]): TokenTimes {
  const [only] = streams;
  if (only !== undefined && streams.length === 1) return only;
  const join = (field: keyof TokenTimes): Float64Array =>
    Float64Array.from(streams.flatMap((times) => [...times[field]]));
  return {
    deliveredNanoseconds: join("deliveredNanoseconds"),
    producedNanoseconds: join("producedNanoseconds"),
    callbackNanoseconds: join("callbackNanoseconds"),
  };
}

/** Median nanoseconds of recording one token. */
export function measureRecording(clock: Clock): number {
  const recorder = new TokenRecorder(clock, 1000);
  const token: StreamToken = {
    index: 0,
    id: 0,
    text: "",
    endOfSequence: false,
    logprob: undefined,
    producedAtMilliseconds: performance.now(),
  };
  return measureCost(clock, () => {
    if (recorder.count === 1000) recorder.reset();
    recorder.record(token);
  });
}

/** The histograms of one cell, by treatment and metric. */
export class Distributions {
  readonly #histograms = new Map<
    string,
    {
      readonly treatment: Treatment;
      readonly metric: DistributionMetric;
      readonly histogram: LatencyHistogram;
    }
  >();

  /**
   * Adds a run that has ended.
   *
   * @param streams how many streams the run's tokens are of, one after the other
   */
  add(treatment: Treatment, times: TokenTimes, streams = 1): void {
    const { deliveredNanoseconds: delivered, producedNanoseconds: produced } = times;
    const tokensPerStream = delivered.length / streams;
    for (const nanoseconds of times.callbackNanoseconds) {
      this.#add(treatment, "callbackTime", nanoseconds);
    }
    for (const [index, now] of delivered.entries()) {
      const previous = delivered[index - 1];
      if (previous === undefined || index % tokensPerStream === 0)
        this.#add(treatment, "timeToFirstToken", now);
      else this.#add(treatment, "interTokenLatency", now - previous);
      const made = produced[index] as number;
      if (!Number.isNaN(made)) this.#add(treatment, "deliveryLatency", now - made);
    }
  }

  /** The distributions so far, in a form that the record can hold. */
  summarize(): Distribution[] {
    const entries = treatments.flatMap((treatment) =>
      [...this.#histograms.values()].filter((entry) => entry.treatment === treatment),
    );
    return entries.map(({ treatment, metric, histogram }) => ({
      treatment,
      metric,
      ...histogram.summarize(),
    }));
  }

  #add(treatment: Treatment, metric: DistributionMetric, nanoseconds: number): void {
    const key = `${treatment} ${metric}`;
    let entry = this.#histograms.get(key);
    if (entry === undefined) {
      entry = { treatment, metric, histogram: new LatencyHistogram() };
      this.#histograms.set(key, entry);
    }
    entry.histogram.add(nanoseconds);
  }
}
