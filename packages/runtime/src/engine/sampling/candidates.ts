import type { ResolvedConfig } from "@streamgauge/core";
import { rankUntil, selectLargest } from "./ranking.js";

/** What may be drawn at one position. The arrays are used again at the next. */
export interface Candidates {
  /** Logits after the processors, by id. */
  readonly scores: Float32Array;
  /** By id, for candidates: exp((score − largest) / temperature), which is a probability but for a factor. */
  readonly weights: Float64Array;
  /** The first `size` may be drawn, in the order in which the draw passes them. */
  readonly ids: Int32Array;
  size: number;
}

/** Takes candidates away; what Hugging Face calls a logits warper. */
export type Warper = (candidates: Candidates) => void;

/**
 * Warpers in the order in which Hugging Face applies them. Each sees as
 * probabilities the shares of what those before have left.
 *
 * Top-k is not among them: {@link fillCandidates} does it, because it needs no
 * probabilities, and their exponentials are what takes time.
 */
export function createWarpers({ topP, minP, typicalP }: ResolvedConfig): Warper[] {
  const warpers: Warper[] = [];
  if (topP !== undefined && topP < 1) warpers.push((candidates) => keepTopP(candidates, topP));
  if (minP !== undefined && minP > 0) warpers.push((candidates) => keepMinP(candidates, minP));
  if (typicalP !== undefined && typicalP < 1) warpers.push(createTypicalP(typicalP));
  return warpers;
}

/** Begins with the `topK` likeliest ids in order, or else all ids in theirs. */
export function fillCandidates(
  candidates: Candidates,
  largestScore: number,
  temperature: number,
  topK: number | undefined,
): void {
  const { scores, weights, ids } = candidates;
  if (topK === undefined || topK >= scores.length) {
    candidates.size = scores.length;
    for (let id = 0; id < scores.length; id++) {
      ids[id] = id;
      weights[id] = Math.exp(((scores[id] ?? Number.NaN) - largestScore) / temperature);
    }
    return;
  }
  candidates.size = topK;
  selectLargest(scores, topK, ids);
  for (let rank = 0; rank < topK; rank++) {
    const id = ids[rank] ?? 0;
    weights[id] = Math.exp(((scores[id] ?? Number.NaN) - largestScore) / temperature);
  }
}

/** Σ of the candidates' weights. */
function massOf({ weights, ids, size }: Candidates): number {
  let mass = 0;
  for (let rank = 0; rank < size; rank++) mass += weights[ids[rank] ?? 0] ?? 0;
  return mass;
}

/** The smallest set of likeliest ids with Σ p ≥ topP. */
function keepTopP(candidates: Candidates, topP: number): void {
  const { scores, weights, ids } = candidates;
  const whole = massOf(candidates);
  // Ids below a share of (1 − topP) / size have no more than 1 − topP together, so
  // without them there is enough. Half of that leaves room for rounding. It spares
  // ranking the many that have next to nothing.
  keepAtLeast(candidates, (0.5 * (1 - topP) * whole) / candidates.size);
  let mass = 0;
  candidates.size = rankUntil(scores, ids, candidates.size, (id) => {
    mass += weights[id] ?? 0;
    return mass >= topP * whole;
  });
}

/** Every id with p ≥ minP · largest p. The likeliest id is still there, and its weight is 1. */
function keepMinP(candidates: Candidates, minP: number): void {
  keepAtLeast(candidates, minP);
}

/** Leaves the candidates with a weight of at least this, in their order. */
function keepAtLeast(candidates: Candidates, smallest: number): void {
  const { weights, ids, size } = candidates;
  let kept = 0;
  for (let rank = 0; rank < size; rank++) {
    const id = ids[rank] ?? 0;
    if ((weights[id] ?? 0) >= smallest) ids[kept++] = id;
  }
  candidates.size = kept;
}

/**
 * Locally typical sampling (Meister et al., arXiv:2202.00666): the smallest set
 * of ids with the least |−ln p − H| whose Σ p ≥ typicalP, where H = −Σ p ln p.
 */
function createTypicalP(typicalP: number): Warper {
  let closeness = new Float64Array(0);
  return (candidates) => {
    const { weights, ids, size } = candidates;
    if (closeness.length < weights.length) closeness = new Float64Array(weights.length);
    const whole = massOf(candidates);
    const logWhole = Math.log(whole);
    let entropy = 0;
    for (let rank = 0; rank < size; rank++) {
      const weight = weights[ids[rank] ?? 0] ?? 0;
      if (weight > 0) entropy -= (weight / whole) * (Math.log(weight) - logWhole);
    }
    for (let rank = 0; rank < size; rank++) {
      const id = ids[rank] ?? 0;
      closeness[id] = -Math.abs(logWhole - Math.log(weights[id] ?? 0) - entropy);
    }
    let mass = 0;
    candidates.size = rankUntil(closeness, ids, size, (id) => {
      mass += weights[id] ?? 0;
      return mass >= typicalP * whole;
    });
  };
}

/**
 * The candidate at which the running sum of weights passes the share `u`, in
 * [0, 1), of their mass; undefined where weights are not numbers.
 */
export function drawFrom(candidates: Candidates, u: number): number | undefined {
  const { weights, ids, size } = candidates;
  const mass = massOf(candidates);
  if (!(mass > 0)) return undefined;
  let rest = u * mass;
  let last = ids[0] ?? 0;
  for (let rank = 0; rank < size; rank++) {
    const id = ids[rank] ?? 0;
    const weight = weights[id] ?? 0;
    if (weight === 0) continue;
    last = id;
    rest -= weight;
    if (rest < 0) break;
  }
  // Rounding can leave a rest: then the last possible id is meant.
  return last;
}
