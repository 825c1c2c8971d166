import type { Estimates, SampleLevel } from "../record/index.js";
import { mean, standardDeviation } from "./descriptive.js";
import { estimateBoth } from "./estimates.js";
import { smallestDetectableEffect } from "./mean-estimate.js";
import { estimateWithin } from "./within-processes.js";

/**
 * Fewest processes for a verdict. Code layout and JIT state are drawn once for each
 * process, so that its blocks err together (Kalibera and Jones 2013), and processes may
 * differ in kind: what one in three has is seen in 96 of 100 sets of eight (1 − (2/3)⁸).
 */
export const fewestProcesses = 8;

/**
 * Fewest blocks for a verdict: what happens to 5 % of the runs is then seen at least
 * once with a probability of 95 % (1 − 0.95⁵⁹; Wilks 1941).
 */
export const fewestBlocks = 59;

/** What the processes of a cell say together. */
export interface ProcessesEstimate {
  readonly level: Extract<SampleLevel, "processes" | "within processes">;
  readonly estimates: Estimates;
  /** Of process means, or of blocks around the mean of their process. */
  readonly standardDeviation: number;
  /** With a probability of 90 %, one-sided at 5 %, in the unit of the samples. */
  readonly smallestDetectableEffect: number;
}

/**
 * Estimates over processes. No test chooses the sample: with {@link fewestProcesses} or
 * more it is the mean of a process, and intervals are about any process; with fewer,
 * intervals are about these processes only, from what varies within them.
 *
 * @param processes the block values of each process, in the order in which they were
 *   measured; at least six blocks in all
 * @throws RangeError where a process has no block, or all together have too few
 */
export function estimateProcesses(processes: readonly (readonly number[])[]): ProcessesEstimate {
  if (processes.length < fewestProcesses) {
    return { level: "within processes", ...estimateWithin(processes) };
  }
  const means = processes.map(mean);
  return {
    level: "processes",
    estimates: estimateBoth(means),
    standardDeviation: standardDeviation(means),
    smallestDetectableEffect: smallestDetectableEffect(means),
  };
}
