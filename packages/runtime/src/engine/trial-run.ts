import type { BatchDecoder } from "./batch-decoder.js";
import type { Sequence } from "./model.js";

/**
 * Runs ids piece by piece as one sequence.
 *
 * @returns the logits behind each piece, in memory of their own
 * @throws StreamgaugeError `ENGINE_FAILED`
 */
export async function runPieces(
  decoder: BatchDecoder,
  pieces: readonly (readonly number[])[],
): Promise<readonly Float32Array[]> {
  const seen: Float32Array[] = [];
  const ids = pieces.flat();
  const sequence: Sequence = decoder.begin(ids, ids.length, (logits) => {
    seen.push(logits.slice());
    return { id: 0, logprob: undefined, topLogprobs: undefined };
  });
  try {
    for (const piece of pieces) {
      await sequence.advance(piece);
      sequence.choose();
    }
  } finally {
    sequence.end();
  }
  return seen;
}

/** @param tolerance the largest difference that the order of sums may make, as a part of the logits' range */
export function differ(one: Float32Array, other: Float32Array, tolerance: number): boolean {
  let [least, most, largest] = [Infinity, -Infinity, 0];
  for (const [index, value] of one.entries()) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    largest = Math.max(largest, Math.abs(value - (other[index] ?? Number.NaN)));
  }
  // What is no number is not equal to itself either, and is found when it is chosen from.
  return largest > tolerance * (most - least);
}
