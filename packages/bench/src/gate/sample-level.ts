import fQuantile from "@stdlib/stats-base-dists-f-quantile";
import type { SampleLevel } from "../record/index.js";
import { mean, requireSamples, sumOfSquares } from "../statistics/descriptive.js";
import { minimumSamples } from "../statistics/index.js";

/** What can be one sample of a gate; with `too few processes` nothing is. */
export type GateSampleLevel = Exclude<SampleLevel, "within processes">;

/**
 * How sure the F test must be that processes do *not* differ: it drops process
 * means only where differences as large as these come up by chance in more than
 * one of four runs (Bancroft 1964). At the usual 5 % it would overlook just those
 * differences that make block-level intervals too narrow.
 */
const negligible = 0.25;

/**
 * What a gate takes as one sample, so that an interval is honest about what pairs of
 * processes differ in: code layout and JIT state are drawn once per process, so that its
 * blocks err together (Kalibera and Jones 2013).
 *
 * Blocks, if an F test at 25 % finds no variance between processes; otherwise the
 * process means, each once. The price of letting the data choose: in simulations
 * of 6 to 10 processes, over all ratios of the two variances, 95 % t intervals
 * cover 93.6 to 97.1 % and one-sided bounds miss up to 5.6 %. An interval needs
 * {@link minimumSamples} process means: plan for eight or more.
 *
 * @param processes the block values of each process
 * @throws RangeError where a process has no block
 */
export function sampleLevel(processes: readonly (readonly number[])[]): GateSampleLevel {
  for (const blocks of processes) requireSamples(blocks, 1);
  const count = processes.reduce((sum, { length }) => sum + length, 0);
  // What cannot be separated: one process has only blocks, processes of one block only means.
  const separable = processes.length > 1 && count > processes.length;
  if (processes.length <= 1 || (separable && !differ(processes))) return "blocks";
  return processes.length < minimumSamples ? "too few processes" : "processes";
}

/** The samples at a level, in the order in which they were measured. */
export function samplesAt(
  level: GateSampleLevel,
  processes: readonly (readonly number[])[],
): readonly number[] {
  return level === "processes" ? processes.map(mean) : processes.flat();
}

function differ(processes: readonly (readonly number[])[]): boolean {
  const { between, within, betweenFreedom, withinFreedom } = meanSquares(processes);
  return between > within * fQuantile(1 - negligible, betweenFreedom, withinFreedom);
}

/** The mean squares of a one-way layout, as in an analysis of variance. */
function meanSquares(processes: readonly (readonly number[])[]): {
  between: number;
  within: number;
  betweenFreedom: number;
  withinFreedom: number;
} {
  requireSamples(processes, 2);
  const all = processes.flat();
  requireSamples(all, processes.length + 1);
  const betweenFreedom = processes.length - 1;
  const withinFreedom = all.length - processes.length;
  const center = mean(all);
  const squaresBetween = processes.reduce(
    (sum, blocks) => sum + blocks.length * (mean(blocks) - center) ** 2,
    0,
  );
  const squaresWithin = processes.reduce((sum, blocks) => sum + sumOfSquares(blocks), 0);
  return {
    between: squaresBetween / betweenFreedom,
    within: squaresWithin / withinFreedom,
    betweenFreedom,
    withinFreedom,
  };
}
