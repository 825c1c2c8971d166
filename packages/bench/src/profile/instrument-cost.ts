import type { Estimates, ProfileCost } from "../record/index.js";
import { estimateBoth, minimumSamples, rescale } from "../statistics/index.js";

/** A run without the instrument, the same again, and one with it. */
export const instrumentStates = ["off", "offAgain", "on"] as const;

/** One of {@link instrumentStates}. */
export type InstrumentState = (typeof instrumentStates)[number];

/** End-to-end latencies of one block, in nanoseconds. */
export type InstrumentBlock = Readonly<Record<InstrumentState, number>>;

/** What turning the instrument on costs, by the same estimators as a cell's overhead. */
export function estimateCost(blocks: readonly InstrumentBlock[], tokens: number): ProfileCost {
  if (blocks.length < minimumSamples) {
    return { blocks: blocks.length, control: null, overhead: null, costMicrosecondsPerToken: null };
  }
  const against = (state: InstrumentState): Estimates =>
    rescale(estimateBoth(blocks.map((block) => Math.log(block[state] / block.off))), Math.expm1);
  return {
    blocks: blocks.length,
    control: against("offAgain"),
    overhead: against("on"),
    costMicrosecondsPerToken: estimateBoth(blocks.map(({ off, on }) => (on - off) / 1000 / tokens)),
  };
}
