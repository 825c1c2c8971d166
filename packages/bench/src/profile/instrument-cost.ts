import type { Estimates, ProfileCost, ProfileRuns } from "../record/index.js";
import { estimateBoth, minimumSamples, rescale } from "../statistics/index.js";

/** A run without the instrument, the same again, and one with it. */
export const instrumentStates = ["off", "offAgain", "on"] as const;

/** One of {@link instrumentStates}. */
export type InstrumentState = (typeof instrumentStates)[number];

/** End-to-end latencies of one block, in nanoseconds. */
export type InstrumentBlock = Readonly<Record<InstrumentState, number>>;

/** The blocks as a record keeps them. */
export function runsOfBlocks(blocks: readonly InstrumentBlock[]): ProfileRuns {
  const runsOf = (state: InstrumentState): number[] => blocks.map((block) => block[state]);
  return { off: runsOf("off"), offAgain: runsOf("offAgain"), on: runsOf("on") };
}

/**
 * What turning the instrument on costs, by the same estimators as a cell's overhead.
 *
 * @throws RangeError where a state has fewer runs than another
 */
export function estimateCost(runs: ProfileRuns, tokens: number): ProfileCost {
  const { length } = runs.off;
  if (instrumentStates.some((state) => runs[state].length !== length)) {
    throw new RangeError("A profile's states have as many runs each as there are blocks.");
  }
  const cost = { blocks: length, control: null, overhead: null, costMicrosecondsPerToken: null };
  if (length < minimumSamples) return { ...cost, runs };
  const blocks = runs.off.map((off, at) => ({
    off,
    offAgain: runs.offAgain[at] as number,
    on: runs.on[at] as number,
  }));
  const against = (state: InstrumentState): Estimates =>
    rescale(estimateBoth(blocks.map((block) => Math.log(block[state] / block.off))), Math.expm1);
  return {
    ...cost,
    control: against("offAgain"),
    overhead: against("on"),
    costMicrosecondsPerToken: estimateBoth(blocks.map(({ off, on }) => (on - off) / 1000 / tokens)),
    runs,
  };
}
