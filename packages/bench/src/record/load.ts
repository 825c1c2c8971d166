import { latencySummary, type LatencySummary } from "./distribution.js";
import { number, nullable, object, string, type Check } from "./shape.js";
import { treatment, type Treatment } from "./treatment.js";

/** Which generator a measurement was made on, and how its tokens were taken. */
export interface MeasuredMode {
  /** {@link GeneratorDescription.id} */
  readonly generator: string;
  readonly model: string;
  readonly host: string;
  readonly treatment: Treatment;
  /** Tokens made by each generation. */
  readonly tokens: number;
}

/**
 * Latency when generations are asked for at a set rate, whether or not earlier
 * ones are done (an open loop). Since version 3.
 */
export interface ArrivalsMeasurement extends MeasuredMode {
  /** Offered: the arrivals are a Poisson process of this rate. */
  readonly arrivalsPerSecond: number;
  /** Offered rate × the time of one generation alone: 1 is all that one worker can do. */
  readonly offeredLoad: number;
  readonly generations: number;
  readonly durationNanoseconds: number;
  readonly completionsPerSecond: number;
  /** From the moment at which the generation was due. null for `generate`. */
  readonly timeToFirstToken: LatencySummary | null;
  /** From the moment at which the generation was due: waiting counts. */
  readonly endToEnd: LatencySummary;
  /**
   * From the moment at which the engine began with it: what a closed loop would
   * report, leaving the waiting out ("coordinated omission").
   */
  readonly serviceTime: LatencySummary;
}

/** What stopping a generation costs. Since version 3. */
export interface AbortMeasurement extends MeasuredMode {
  readonly generations: number;
  /** Abort requested − result settled, which is after the producer has stopped. */
  readonly abortLatency: LatencySummary;
  /** Tokens made after the abort was requested, over all generations. */
  readonly wastedTokens: number;
  /** Most of one generation. */
  readonly mostWastedTokens: number;
}

/** A consumer that takes longer for each token than the engine does. Since version 3. */
export interface SlowConsumerMeasurement extends MeasuredMode {
  /** Asked of the consumer, for each token. */
  readonly consumerMicrosecondsPerToken: number;
  /** Slots of the ring; null where there is none. */
  readonly ringCapacity: number | null;
  readonly durationNanoseconds: number;
  /** duration / (tokens × the consumer's time): 1 where the consumer alone sets the pace. */
  readonly slowdown: number;
  /** Most tokens that were made and not yet delivered. */
  readonly mostTokensWaiting: number;
  readonly deliveryLatency: LatencySummary;
  /** Largest growth of the process's resident set while it ran. */
  readonly residentGrowthBytes: number;
}

const measuredMode = {
  generator: string,
  model: string,
  host: string,
  treatment,
  tokens: number,
} as const;

/** Checks an {@link ArrivalsMeasurement}. */
export const arrivalsMeasurement: Check = object<ArrivalsMeasurement>({
  ...measuredMode,
  arrivalsPerSecond: number,
  offeredLoad: number,
  generations: number,
  durationNanoseconds: number,
  completionsPerSecond: number,
  timeToFirstToken: nullable(latencySummary),
  endToEnd: latencySummary,
  serviceTime: latencySummary,
});

/** Checks an {@link AbortMeasurement}. */
export const abortMeasurement: Check = object<AbortMeasurement>({
  ...measuredMode,
  generations: number,
  abortLatency: latencySummary,
  wastedTokens: number,
  mostWastedTokens: number,
});

/** Checks a {@link SlowConsumerMeasurement}. */
export const slowConsumerMeasurement: Check = object<SlowConsumerMeasurement>({
  ...measuredMode,
  consumerMicrosecondsPerToken: number,
  ringCapacity: nullable(number),
  durationNanoseconds: number,
  slowdown: number,
  mostTokensWaiting: number,
  deliveryLatency: latencySummary,
  residentGrowthBytes: number,
});
