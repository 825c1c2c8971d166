import { memory, type Memory } from "./block.js";
import { estimate, estimates, type Estimate, type Estimates } from "./estimates.js";
import { array, nullable, number, object, oneOf, optional, type Check } from "./shape.js";
import { comparedTreatment, treatment, type Treatment } from "./treatment.js";

/** What the blocks of a cell say. */
export interface Analysis {
  readonly treatments: readonly TreatmentSummary[];
  readonly comparisons: readonly Comparison[];
}

/** A treatment by itself. Medians over blocks unless the name says otherwise. */
export interface TreatmentSummary {
  readonly treatment: Treatment;
  readonly endToEndNanoseconds: number;
  readonly throughputTokensPerSecond: number;
  /** null where {@link Run.timePerOutputTokenNanoseconds} is. */
  readonly timePerOutputTokenNanoseconds: number | null;
  readonly cpuMicrosecondsPerToken: number;
  readonly eventLoopUtilization: number;
  /** Inside the user's callback; only where it is timed. */
  readonly callbackMicrosecondsPerToken?: number;
  /** The largest sample of each, over all blocks. */
  readonly peakMemory: Memory;
}

/**
 * What intervals are made from, and so what they are about.
 *
 * - `processes`: the mean of each process is one sample; about any process;
 * - `within processes`: fewer than eight processes, blocks and how they follow each
 *   other; about these processes only;
 * - `blocks` and `too few processes`: in records from before, and of gates. Blocks as
 *   independent samples; the second where processes differ, so that it is too narrow.
 */
export type SampleLevel = "processes" | "within processes" | "blocks" | "too few processes";

/** A treatment against `generate`, block by block. */
export interface Comparison {
  readonly treatment: Exclude<Treatment, "generate">;
  readonly blocks: number;
  /** Processes that the blocks are from; 1 without it. */
  readonly processes?: number;
  /** `blocks` without it. */
  readonly level?: SampleLevel;
  /** Fractions: 0.05 is 5 % slower than `generate`. */
  readonly overhead: Estimates;
  /** Of the log-ratios: of process means, or of blocks around the mean of their process. */
  readonly standardDeviation: number;
  /** The overhead (a fraction) this many samples show with a probability of 90 %. */
  readonly smallestDetectableEffect: number;
  readonly costMicrosecondsPerToken: Estimates;
}

/** The slow runs of a treatment against the slow runs of `generate`. */
export interface TailComparison {
  readonly treatment: Exclude<Treatment, "generate">;
  /** Which percentile of the runs' end-to-end latency, by nearest rank. */
  readonly percent: number;
  /** A fraction; BCa bootstrap intervals over blocks, stratified by process. */
  readonly overhead: Estimate;
}

/** Checks an {@link Analysis}. */
export const analysis: Check<Analysis> = object({
  treatments: array(
    object({
      treatment,
      endToEndNanoseconds: number,
      throughputTokensPerSecond: number,
      timePerOutputTokenNanoseconds: nullable(number),
      cpuMicrosecondsPerToken: number,
      eventLoopUtilization: number,
      callbackMicrosecondsPerToken: optional(number),
      peakMemory: memory,
    }),
  ),
  comparisons: array(
    object({
      treatment: comparedTreatment,
      blocks: number,
      processes: optional(number),
      level: optional(oneOf("processes", "within processes", "blocks", "too few processes")),
      overhead: estimates,
      standardDeviation: number,
      smallestDetectableEffect: number,
      costMicrosecondsPerToken: estimates,
    }),
  ),
});

/** Checks a {@link TailComparison}. */
export const tailComparison: Check<TailComparison> = object({
  treatment: comparedTreatment,
  percent: number,
  overhead: estimate,
});
