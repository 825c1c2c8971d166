import { pairsOf } from "./analysis.js";
import type { Block, TailComparison } from "./record.js";
import { percentileRatio, rescaleOne } from "./statistics.js";

/** The percentile of runs that is compared. */
const percent = 95;

/** With fewer, the 95th percentile is the largest value. */
const fewestBlocks = 20;

/** Any; the same samples give the same interval. */
const seed = 95;

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
    const ratio = percentileRatio(processes, { percent, seed, resamples });
    return { treatment, percent, overhead: rescaleOne(ratio, (value) => value - 1) };
  });
}
