import type { Estimates } from "../record/index.js";
import { estimateBoth, minimumSamples, rescale } from "../statistics/index.js";

/**
 * One run of each block, in the order of the blocks.
 *
 * @param name of whoever made the runs, for the error
 * @throws RangeError for a block without such a run
 */
export function runsOf<Run>(
  blocks: readonly { readonly runs: readonly Run[] }[],
  name: string,
  nameOf: (run: Run) => string,
): Run[] {
  return blocks.map(({ runs }) => {
    const run = runs.find((candidate) => nameOf(candidate) === name);
    if (run === undefined) throw new RangeError(`A block has no run of ${name}.`);
    return run;
  });
}

/**
 * The ratio of two values that were measured in the same blocks: what drifts slower
 * than a block lasts cancels.
 *
 * @returns null with fewer blocks than an interval needs, and where a value is 0
 */
export function estimateRatio(own: readonly number[], others: readonly number[]): Estimates | null {
  const logRatios = own.map((value, index) => Math.log(value / (others[index] as number)));
  return logRatios.length >= minimumSamples && logRatios.every(Number.isFinite)
    ? rescale(estimateBoth(logRatios), Math.exp)
    : null;
}

/**
 * The difference of two values that were measured in the same blocks, per token.
 *
 * @param tokens of each run
 * @returns null with fewer blocks than an interval needs
 */
export function estimateDifferencePerToken(
  own: readonly number[],
  others: readonly number[],
  tokens: number,
): Estimates | null {
  return own.length >= minimumSamples
    ? estimateBoth(own.map((value, index) => (value - (others[index] as number)) / tokens))
    : null;
}
