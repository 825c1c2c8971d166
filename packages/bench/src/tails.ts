import { groupByProcess } from "./analysis.js";
import type { Block, TailComparison, Treatment } from "./record.js";
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
  const processes = groupByProcess(blocks);
  return (["control", "stream", "streamAsync"] as const).map((treatment) => ({
    treatment,
    percent,
    overhead: rescaleOne(
      percentileRatio(
        processes.map((part) =>
          part.map((block) => ({
            baseline: [endToEnd(block, "generate")],
            treated: [endToEnd(block, treatment)],
          })),
        ),
        { percent, seed, resamples },
      ),
      (ratio) => ratio - 1,
    ),
  }));
}

function endToEnd({ index, runs }: Block, treatment: Treatment): number {
  const run = runs.find((candidate) => candidate.treatment === treatment);
  if (run === undefined) throw new RangeError(`Block ${index} has no run of ${treatment}.`);
  return run.endToEndNanoseconds;
}
