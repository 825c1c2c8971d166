import type { Definition } from "./definition.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { estimates, type Estimates } from "./estimates.js";
import { measuredModeShape, type MeasuredMode } from "./identity.js";
import { array, nullable, number, object, oneOf, type Check } from "./shape.js";
import { warmUp, type WarmUp } from "./warm-up.js";

/** What it costs to split one stream for two readers: each block runs every way once. */
export interface TeeMeasurement extends MeasuredMode {
  readonly warmUp: WarmUp;
  readonly ways: readonly TeeWay[];
}

/** How the tokens come to their readers: two of them, but for `one reader`. */
export type TeeWayName = "one reader" | "teeTokens" | "ReadableStream.tee";

/** One way, over all blocks. */
export interface TeeWay {
  readonly way: TeeWayName;
  /** User + system time of the process over a run, of each block. */
  readonly cpuMicroseconds: readonly number[];
  /** Call made → result settled and every reader done, of each block. */
  readonly durationNanoseconds: readonly number[];
  /** A median over the blocks, of each token that was made. */
  readonly cpuMicrosecondsPerToken: number;
  /** A median over the blocks. */
  readonly throughputTokensPerSecond: number;
  /** Delivered to a reader − made, of all tokens and readers; null where nobody knows. */
  readonly deliveryLatency: LatencySummary | null;
  /**
   * CPU time of this way − CPU time of one reader, per token; null for one reader, and with fewer
   * blocks than an interval needs.
   */
  readonly addedCpuMicrosecondsPerToken: Estimates | null;
}

/** Checks a {@link TeeMeasurement}. */
export const teeMeasurement: Check<TeeMeasurement> = object({
  ...measuredModeShape,
  warmUp,
  ways: array(
    object({
      way: oneOf("one reader", "teeTokens", "ReadableStream.tee"),
      cpuMicroseconds: array(number),
      durationNanoseconds: array(number),
      cpuMicrosecondsPerToken: number,
      throughputTokensPerSecond: number,
      deliveryLatency: nullable(latencySummary),
      addedCpuMicrosecondsPerToken: nullable(estimates),
    }),
  ),
});

/** What the numbers of a {@link TeeMeasurement} mean. */
export const teeDefinitions: readonly Definition[] = [
  {
    metric: "splitting a stream",
    formula:
      "the same tokens for one reader, or for each of two, once in each block; CPU: user + system " +
      "time of the process / tokens made, median over blocks; added: that less one reader's, per " +
      "block, over blocks by Hodges–Lehmann with the exact Wilcoxon interval (95 %); delay: " +
      "delivered to a reader − made",
  },
];
