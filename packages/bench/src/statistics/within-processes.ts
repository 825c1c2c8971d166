import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Estimate, Estimates, Interval } from "../record/index.js";
import { mean, requireSamples, sampleSkewness, standardDeviation } from "./descriptive.js";
import { estimateBoth } from "./estimates.js";
import { hodgesLehmann, minimumSamples } from "./hodges-lehmann.js";
import {
  detectableEffect,
  estimateMean,
  smallestDetectableEffect,
  type MeanError,
} from "./mean-estimate.js";

/** Effective samples for one batch: after so many, blocks have forgotten each other. */
const samplesOfBatch = 3;

/** Correlations are taken to be higher than estimated, by so many standard errors. */
const caution = 1.5;

/** Beyond this, a correlation and a trend are the same. */
const strongest = 0.98;

/** What few processes say about themselves. */
interface WithinEstimate {
  readonly estimates: Estimates;
  /** Of blocks around the mean of their process. */
  readonly standardDeviation: number;
  readonly smallestDetectableEffect: number;
}

/**
 * Estimates over the blocks of few processes, about these processes only: the target
 * is the mean of their own long-run means. What they differ by is no error; that blocks
 * follow each other is: streams' costs have a correlation of 0.3 to 0.6 from one block
 * to the next.
 *
 * Intervals are those of batch means. A batch is so long that correlation has died in
 * it: 3 (1 + ρ) / (1 − ρ) blocks for the AR(1) correlation ρ of the blocks, which is
 * corrected for its bias (Kendall 1954) and raised by 1.5 standard errors. There are as many
 * degrees of freedom as batches. The variance of a batch comes from ρ and from all
 * blocks, since few batches show little of it. Where blocks stay alike for most of a
 * process, less than two batches are left, and the interval is so wide that it says
 * nothing. The Hodges–Lehmann interval is widened by the same factor.
 *
 * @param processes block values in the order in which they were measured
 * @throws RangeError with fewer than six blocks, or where a process has none
 */
export function estimateWithin(processes: readonly (readonly number[])[]): WithinEstimate {
  const count = processes.reduce((sum, { length }) => sum + length, 0);
  requireSamples({ length: count }, minimumSamples);
  const means = processes.map(mean);
  const independent = count - processes.length;
  // One block of each: nothing varies within.
  if (independent === 0) {
    return {
      estimates: estimateBoth(means),
      standardDeviation: standardDeviation(means),
      smallestDetectableEffect: smallestDetectableEffect(means),
    };
  }
  const deviations = processes.map((blocks, process) =>
    blocks.map((value) => value - (means[process] as number)),
  );
  const all = deviations.flat();
  const variance = all.reduce((sum, value) => sum + value * value, 0) / independent;
  const length = Math.max(2, Math.round(count / processes.length));
  const correlation = cautiousCorrelation(deviations, length);
  const effective = (count * (1 - correlation)) / (1 + correlation);
  const ofMeans = processes.reduce((sum, blocks) => sum + 1 / blocks.length, 0);
  const plainError = Math.sqrt(variance * ofMeans) / processes.length;
  const error: MeanError = {
    value: mean(means),
    standardError: plainError * Math.sqrt(inflation(correlation, length)),
    freedom: Math.max(1, effective / samplesOfBatch),
    skewness: sampleSkewness(all) / Math.sqrt(effective),
  };
  return {
    estimates: {
      hodgesLehmann: hodgesLehmannOf(deviations, error, (samplesOfBatch * count) / effective),
      mean: estimateMean(error),
    },
    standardDeviation: Math.sqrt(variance),
    smallestDetectableEffect: detectableEffect(error),
  };
}

/**
 * The Hodges–Lehmann estimate over batch means, or over blocks where there would be too few
 * batches, with its interval as much wider as the mean's is against independent samples.
 */
function hodgesLehmannOf(
  deviations: readonly (readonly number[])[],
  error: MeanError,
  batchLength: number,
): Estimate {
  const batches = deviations.map((blocks) => batchMeans(blocks, batchLength));
  const enough = batches.flat().length - batches.length >= minimumSamples;
  const samples = enough ? batches : deviations;
  const around = samples.flat();
  const freedom = around.length - samples.length;
  const squares = around.reduce((sum, value) => sum + value * value, 0);
  const plainError = Math.sqrt(squares / freedom / around.length);
  const factorAt = (tail: number): number => {
    const plain = plainError * studentQuantile(1 - tail, freedom);
    const wide = error.standardError * studentQuantile(1 - tail, error.freedom);
    return plain === 0 ? 1 : Math.max(1, wide / plain);
  };
  return widen(hodgesLehmann(around.map((value) => value + error.value)), factorAt);
}

/** Means of parts that follow each other, as equal in length as can be, of `length` or more each. */
function batchMeans(blocks: readonly number[], length: number): number[] {
  const batches = Math.max(1, Math.floor(blocks.length / length));
  return Array.from({ length: batches }, (_, batch) =>
    mean(
      blocks.slice(
        Math.round((batch * blocks.length) / batches),
        Math.round(((batch + 1) * blocks.length) / batches),
      ),
    ),
  );
}

/** From one block to the next within a process, not below 0. @param length blocks of a process */
function cautiousCorrelation(deviations: readonly (readonly number[])[], length: number): number {
  let products = 0;
  let squares = 0;
  let pairs = 0;
  let count = 0;
  for (const blocks of deviations) {
    count += blocks.length;
    pairs += blocks.length - 1;
    blocks.forEach((value, index) => {
      squares += value * value;
      products += value * (blocks[index + 1] ?? 0);
    });
  }
  if (squares === 0) return 0;
  const raw = ((products / squares) * count) / pairs;
  // Around a process's own mean, ρ comes out as ρ − (1 + 3 ρ) / n.
  const unbiased = (raw + 1 / length) / Math.max(1 / 4, 1 - 3 / length);
  const least = Math.min(strongest, Math.max(0, unbiased));
  return Math.min(strongest, least + caution * Math.sqrt((1 - least ** 2) / pairs));
}

/**
 * How much larger the variance of an AR(1) process's mean is than its blocks, taken as
 * independent and around their own mean, suggest: 1 for no correlation.
 */
function inflation(correlation: number, length: number): number {
  let sum = 1;
  for (let lag = 1; lag < length; lag += 1) sum += 2 * (1 - lag / length) * correlation ** lag;
  return (sum * (length - 1)) / (length - sum);
}

/** @param factorAt by what bounds at a tail move away from the value */
function widen(
  { value, interval95, bounds95 }: Estimate,
  factorAt: (tail: number) => number,
): Estimate {
  const at = ({ lower, upper }: Interval, tail: number): Interval => ({
    lower: value - (value - lower) * factorAt(tail),
    upper: value + (upper - value) * factorAt(tail),
  });
  return { value, interval95: at(interval95, 0.025), bounds95: at(bounds95, 0.05) };
}
