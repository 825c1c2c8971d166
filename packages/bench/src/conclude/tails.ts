import { pairsOf } from "./analysis.js";
import { drawFromState } from "../statistics/draw.js";
import type { Block, TailComparison } from "../record/index.js";
import { percentileRatio, rescaleOne } from "../statistics/index.js";

/** The percentile of runs that is compared. */
const percent = 95;

/** With fewer, the 95th percentile is the largest value. */
const fewestBlocks = 20;

/**
 * Where the resamples are drawn from: the same samples give the same interval. A whole state
 * and no seed, so that the intervals of all records, old and new, can be derived again.
 */
export const resamplingState: readonly number[] = [-1, ~95, 95, 0];

/** As many place a 95 % bound within about a tenth of its distance. */
const resamples = 2000;

/**
 * How much longer the slow runs of each mode take than the slow runs of
 * `generate`: what a median or a mean of block ratios does not show. Nothing with
 * fewer blocks than the percentile needs.
 */
export function compareTails(blocks: readonly Block[]): readonly TailComparison[] {
  if (blocks.length < fewestBlocks) return [];
  return (["control", "stream", "streamAsync"] as const).map((treatment) => {
    const processes = pairsOf(blocks, treatment).map((pairs) =>
      pairs.map(({ baselineNanoseconds, treatedNanoseconds }) => ({
        baseline: [baselineNanoseconds],
        treated: [treatedNanoseconds],
      })),
    );
    const ratio = percentileRatio(processes, {
      percent,
      draw: drawFromState(resamplingState),
      resamples,
    });
    return { treatment, percent, overhead: rescaleOne(ratio, (value) => value - 1) };
  });
}
