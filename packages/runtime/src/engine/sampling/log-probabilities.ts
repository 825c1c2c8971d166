import type { TokenLogprob } from "@streamgauge/core";
import { selectLargest } from "./ranking.js";

/** The log-probabilities of one position, as the model gave them. */
export interface LogProbabilities {
  readonly logprob: number;
  /** The likeliest ids, by falling probability; undefined when none are asked for. */
  readonly topLogprobs: readonly TokenLogprob[] | undefined;
}

/**
 * ln p of the chosen id and of the `topCount` likeliest, where
 * pᵢ = exp(xᵢ) / Σ exp(xⱼ), shifted by the largest so that nothing overflows.
 */
export function createLogProbabilities(
  topCount: number,
): (logits: Float32Array, largest: number, chosenId: number) => LogProbabilities {
  const ids = new Int32Array(topCount);
  return (logits, largest, chosenId) => {
    let sum = 0;
    for (let id = 0; id < logits.length; id++) sum += Math.exp((logits[id] ?? 0) - largest);
    const logSum = Math.log(sum);
    const logprobOf = (id: number): number => (logits[id] ?? Number.NaN) - largest - logSum;
    const logprob = logprobOf(chosenId);
    if (topCount === 0) return { logprob, topLogprobs: undefined };
    const count = Math.min(topCount, logits.length);
    selectLargest(logits, count, ids);
    const topLogprobs = Array.from(ids.subarray(0, count), (id) => ({
      id,
      logprob: logprobOf(id),
    }));
    return { logprob, topLogprobs };
  };
}
