import type { Definition } from "./definition.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { estimates, type Estimates } from "./estimates.js";
import { array, nullable, number, object, string, type Check } from "./shape.js";
import { verdict, type Verdict } from "./verdict.js";

/**
 * The engine against another one, or against itself in another arrangement, at
 * the same work: each block runs every contender once, and all have to make the
 * same ids.
 */
export interface EngineMeasurement {
  /** The scenario that asked. */
  readonly scenario: string;
  /** Unique in a record, such as `decode-q4-1024`. */
  readonly id: string;
  /** For tables: what is compared. */
  readonly title: string;
  /** What a contender's value is, such as `ms per token`; less is better. */
  readonly unit: string;
  /** What was the same for all, and what was not: file, versions, threads, context. Sentences. */
  readonly terms: readonly string[];
  /** Dropped, before those that count. */
  readonly warmUpBlocks: number;
  readonly blocks: readonly EngineBlock[];
  /** In the order in which tables show them. */
  readonly contenders: readonly EngineContender[];
  readonly claims: readonly EngineClaim[];
}

/** One run of every contender: one sample. */
export interface EngineBlock {
  /** In the order in which they ran. */
  readonly runs: readonly EngineRun[];
}

/** One run, in the measurement's unit. */
export interface EngineRun {
  readonly contender: string;
  readonly value: number;
}

/** A contender by itself, and against others. */
export interface EngineContender {
  readonly contender: string;
  /** Median over blocks, in the measurement's unit. */
  readonly value: number;
  /** What the median is in tokens per second; null where the unit is no time per token. */
  readonly tokensPerSecond: number | null;
  /** Between two tokens of one stream, over all runs; null where that was not looked at. */
  readonly interTokenLatency: LatencySummary | null;
  readonly comparisons: readonly EngineComparison[];
}

/** A contender against another, block by block. */
export interface EngineComparison {
  readonly against: string;
  /** Value of the contender / value of the other; null with fewer blocks than an interval needs. */
  readonly ratio: Estimates | null;
  /** The smallest and the largest quotient of any two of their runs: of a few runs, all that is known. */
  readonly smallestRatio: number;
  readonly largestRatio: number;
}

/** A promise about a ratio of values, and what became of it. */
export interface EngineClaim {
  readonly contender: string;
  readonly against: string;
  /** The other once more, against itself; null where runs are too few for an interval, and their range is judged. */
  readonly control: string | null;
  /** In words: `at least 2 times the tokens/s`. */
  readonly promise: string;
  /** The ratio is below it. */
  readonly limit: number;
  readonly verdict: Verdict;
  /** Why, in sentences. */
  readonly reasons: readonly string[];
}

/** Checks an {@link EngineMeasurement}. */
export const engineMeasurement: Check<EngineMeasurement> = object({
  scenario: string,
  id: string,
  title: string,
  unit: string,
  terms: array(string),
  warmUpBlocks: number,
  blocks: array(
    object({
      runs: array(object({ contender: string, value: number })),
    }),
  ),
  contenders: array(
    object({
      contender: string,
      value: number,
      tokensPerSecond: nullable(number),
      interTokenLatency: nullable(latencySummary),
      comparisons: array(
        object({
          against: string,
          ratio: nullable(estimates),
          smallestRatio: number,
          largestRatio: number,
        }),
      ),
    }),
  ),
  claims: array(
    object({
      contender: string,
      against: string,
      control: nullable(string),
      promise: string,
      limit: number,
      verdict,
      reasons: array(string),
    }),
  ),
});

/** A contender against another, where both were compared. */
export function engineComparison(
  { contenders }: Pick<EngineMeasurement, "contenders">,
  contender: string,
  against: string,
): EngineComparison | undefined {
  return contenders
    .find((candidate) => candidate.contender === contender)
    ?.comparisons.find((comparison) => comparison.against === against);
}

/** What the numbers of an {@link EngineMeasurement} mean. */
export const engineDefinitions: readonly Definition[] = [
  {
    metric: "engine comparison",
    formula:
      "the same ids from the same file by every contender, once in each block, one at a time; " +
      "medians over blocks; tokens/s: 1000 / ms per token; decoding: (last token − first token) / " +
      "(n − 1), the prompt left out; streams: (last token of all − first call) / tokens of all",
  },
  {
    metric: "engine ratio",
    formula:
      "ln(value of a contender / value of another) per block, less is better; over blocks by " +
      "Hodges–Lehmann with the exact Wilcoxon interval (95 %), shown as exp(x), and by the mean " +
      "with Student's t; judged as claims are, with room for what the other against itself may " +
      "differ by, in the one process that measures; of fewer than six blocks the range of all quotients",
  },
];
