import type { Definition } from "./definition.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { measuredModeShape, type MeasuredMode } from "./identity.js";
import { number, nullable, object, type Check } from "./shape.js";

/**
 * Latency when generations are asked for at a set rate, whether or not earlier
 * ones are done (an open loop).
 */
export interface ArrivalsMeasurement extends MeasuredMode {
  /** Worker threads that share the load; 1 for a generator without workers. */
  readonly workers: number;
  /** Call → result settled of one generation with nothing beside it; a median. */
  readonly aloneNanoseconds: number;
  /** Offered: the arrivals are a Poisson process of this rate. */
  readonly arrivalsPerSecond: number;
  /** Offered rate × the time of one generation alone / workers: 1 is all that they can do. */
  readonly offeredLoad: number;
  /** Those that were completed. */
  readonly generations: number;
  /** First arrival due → last result settled. */
  readonly durationNanoseconds: number;
  /** generations / duration. */
  readonly completionsPerSecond: number;
  /** First token delivered − moment at which the generation was due. null for `generate`. */
  readonly timeToFirstToken: LatencySummary | null;
  /** Result settled − moment at which the generation was due: waiting counts. */
  readonly endToEnd: LatencySummary;
  /**
   * Result settled − moment at which the engine began with it: what a closed loop
   * would report, leaving the waiting out ("coordinated omission").
   */
  readonly serviceTime: LatencySummary;
  /**
   * Call made − moment at which the generation was due: how late the load was
   * offered, because the calling thread was busy. It is part of the two latencies
   * from the due moment.
   */
  readonly callLateness: LatencySummary;
}

/** What stopping a generation costs. */
export interface AbortMeasurement extends MeasuredMode {
  /** Those that were aborted, which {@link ranToEnd} is not among. */
  readonly generations: number;
  /** Those whose producer had made every token when it was told to stop. */
  readonly ranToEnd: number;
  /** Result settled − abort requested. A result settles after its producer has stopped. */
  readonly abortLatency: LatencySummary;
  /**
   * Tokens that were made and never delivered, over all generations: those that
   * waited when the abort was requested, and those made since. null for
   * `generate`, whose result has all of them.
   */
  readonly wastedTokens: number | null;
  /** Most of one generation. */
  readonly mostWastedTokens: number | null;
}

/** A consumer that takes longer for each token than the engine does. */
export interface SlowConsumerMeasurement extends MeasuredMode {
  /** Asked of the consumer, for each token. */
  readonly consumerMicrosecondsPerToken: number;
  /** Slots of the ring; null where there is none. */
  readonly ringCapacity: number | null;
  /** Call made → result settled. */
  readonly durationNanoseconds: number;
  /**
   * duration / time that the consumer took for all tokens, which is at least what
   * was asked of it: 1 where the consumer alone sets the pace.
   */
  readonly slowdown: number;
  /** Most tokens at one moment that were made and not yet delivered; null where nobody knows. */
  readonly mostTokensWaiting: number | null;
  /** Delivered − made, of each token; null where nobody knows. */
  readonly deliveryLatency: LatencySummary | null;
  /** Largest resident set of the process while it ran − the one before. */
  readonly residentGrowthBytes: number;
}

/** Checks an {@link ArrivalsMeasurement}. */
export const arrivalsMeasurement: Check<ArrivalsMeasurement> = object({
  ...measuredModeShape,
  workers: number,
  aloneNanoseconds: number,
  arrivalsPerSecond: number,
  offeredLoad: number,
  generations: number,
  durationNanoseconds: number,
  completionsPerSecond: number,
  timeToFirstToken: nullable(latencySummary),
  endToEnd: latencySummary,
  serviceTime: latencySummary,
  callLateness: latencySummary,
});

/** Checks an {@link AbortMeasurement}. */
export const abortMeasurement: Check<AbortMeasurement> = object({
  ...measuredModeShape,
  generations: number,
  ranToEnd: number,
  abortLatency: latencySummary,
  wastedTokens: nullable(number),
  mostWastedTokens: nullable(number),
});

/** Checks a {@link SlowConsumerMeasurement}. */
export const slowConsumerMeasurement: Check<SlowConsumerMeasurement> = object({
  ...measuredModeShape,
  consumerMicrosecondsPerToken: number,
  ringCapacity: nullable(number),
  durationNanoseconds: number,
  slowdown: number,
  mostTokensWaiting: nullable(number),
  deliveryLatency: nullable(latencySummary),
  residentGrowthBytes: number,
});

/** What the numbers of an {@link ArrivalsMeasurement} mean. */
export const arrivalsDefinitions: readonly Definition[] = [
  {
    metric: "arrivals",
    formula:
      "a Poisson process of the offered rate, drawn before the run; each generation is asked " +
      "for at its due moment, whether or not earlier ones are done (an open loop)",
  },
  {
    metric: "offered load",
    formula: "arrival rate × time of one generation alone / workers: 1 is all that they can do",
  },
  {
    metric: "latency from the due moment",
    formula:
      "first token delivered, or result settled, − moment at which the generation was due: " +
      "waiting counts, and so does a late call",
  },
  {
    metric: "service time",
    formula:
      "result settled − moment at which the engine began with the generation: what a closed " +
      "loop would report, the waiting left out (coordinated omission)",
  },
];

/** What the numbers of an {@link AbortMeasurement} mean. */
export const abortDefinitions: readonly Definition[] = [
  {
    metric: "abort latency",
    formula: "result settled − abort requested; the result settles after its producer has stopped",
  },
  {
    metric: "wasted tokens",
    formula: "tokens made − tokens delivered, of aborted generations",
  },
];

/** What the numbers of a {@link SlowConsumerMeasurement} mean. */
export const slowConsumerDefinitions: readonly Definition[] = [
  {
    metric: "slow consumer",
    formula:
      "keeps each token for a set time, longer than the engine takes to make it; slowdown: call " +
      "to result / time that the consumer took for all tokens, 1 where it alone sets the pace; " +
      "waiting: made and not yet delivered, the most at one moment",
  },
];
