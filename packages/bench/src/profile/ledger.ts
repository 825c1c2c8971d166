import { StreamgaugeError, type GenerationResult, type StreamToken } from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import { LatencyHistogram } from "../measure/latency-histogram.js";
import type { LedgerFindings } from "../record/index.js";
import { ObservingRecorder } from "./observing-recorder.js";

/** The stations of one generation's tokens, in nanoseconds since the call. */
export interface LedgerTimes {
  readonly producedNanoseconds: Float64Array;
  readonly publishedNanoseconds: Float64Array;
  readonly wokenNanoseconds: Float64Array;
  readonly deliveredNanoseconds: Float64Array;
  readonly callbackDoneNanoseconds: Float64Array;
}

/** Also takes the stamps that tokens carry, and the time when the callback is done. */
export class LedgerRecorder extends ObservingRecorder {
  readonly #clock: Clock;
  readonly #published: Float64Array;
  readonly #woken: Float64Array;
  readonly #callbackDone: Float64Array;

  constructor(clock: Clock, capacity: number) {
    super(clock, capacity);
    this.#clock = clock;
    this.#published = new Float64Array(capacity);
    this.#woken = new Float64Array(capacity);
    this.#callbackDone = new Float64Array(capacity);
  }

  override record(token: StreamToken): void {
    const index = this.count;
    super.record(token);
    this.#published[index] = token.ledger?.publishedAtMilliseconds ?? Number.NaN;
    this.#woken[index] = token.ledger?.wokenAtMilliseconds ?? Number.NaN;
    this.#callbackDone[index] = this.#clock.nowNanoseconds();
  }

  /**
   * What was recorded since the last reset.
   *
   * @throws StreamgaugeError `INVALID_OPTION` when a token had no ledger
   */
  takeLedger(): LedgerTimes {
    const start = this.startNanoseconds;
    const since = (nanoseconds: Float64Array): Float64Array =>
      nanoseconds.slice(0, this.count).map((value) => value - start);
    const ofMilliseconds = (milliseconds: Float64Array): Float64Array =>
      since(milliseconds.map((value) => value * 1e6));
    const published = ofMilliseconds(this.#published);
    if (published.some(Number.isNaN)) {
      throw new StreamgaugeError(
        "INVALID_OPTION",
        "The tokens of this generator carry no ledger: open it with a ring that keeps one.",
      );
    }
    return {
      ...this.since(start),
      publishedNanoseconds: published,
      wokenNanoseconds: ofMilliseconds(this.#woken),
      callbackDoneNanoseconds: since(this.#callbackDone),
    };
  }
}

/** One generation: its tokens, and what it took as a whole. */
export interface LedgerRun {
  readonly times: LedgerTimes;
  readonly endToEndNanoseconds: number;
  readonly timings: GenerationResult["timings"];
}

/** How long tokens took from each station to the next, over all generations. */
export function summarizeLedger(runs: readonly LedgerRun[]): LedgerFindings {
  const stage = (
    name: LedgerFindings["stages"][number]["stage"],
    from: (times: LedgerTimes) => Float64Array,
    to: (times: LedgerTimes) => Float64Array,
  ): LedgerFindings["stages"][number] => {
    const histogram = new LatencyHistogram();
    for (const { times } of runs) {
      const before = from(times);
      for (const [index, after] of to(times).entries()) {
        histogram.add(after - (before[index] as number));
      }
    }
    return { stage: name, latency: histogram.summarize() };
  };
  const produced = (times: LedgerTimes) => times.producedNanoseconds;
  const published = (times: LedgerTimes) => times.publishedNanoseconds;
  const woken = (times: LedgerTimes) => times.wokenNanoseconds;
  const delivered = (times: LedgerTimes) => times.deliveredNanoseconds;
  const callbackDone = (times: LedgerTimes) => times.callbackDoneNanoseconds;
  const residual = new LatencyHistogram();
  for (const run of runs) residual.add(residualOf(run));
  return {
    kind: "ledger",
    stages: [
      stage("published", produced, published),
      stage("woken", published, woken),
      stage("delivered", woken, delivered),
      stage("callbackDone", delivered, callbackDone),
    ],
    residual: residual.summarize(),
  };
}

function residualOf({ times, endToEndNanoseconds, timings }: LedgerRun): number {
  const { queueMilliseconds, prefillMilliseconds, decodeMilliseconds } = timings;
  const made = (queueMilliseconds + prefillMilliseconds + decodeMilliseconds) * 1e6;
  const lastTokensWay =
    (times.callbackDoneNanoseconds.at(-1) ?? 0) - (times.producedNanoseconds.at(-1) ?? 0);
  return endToEndNanoseconds - made - lastTokensWay;
}
