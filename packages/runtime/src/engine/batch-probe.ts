import { messageOf } from "@streamgauge/core";
import type { BatchDecoder } from "./batch-decoder.js";
import type { Sequence } from "./model.js";

/** Largest difference that the order of sums may make, as a part of the logits' range. */
const tolerance = 1e-2;

/**
 * Runs a few ids alone, and then beside a longer sequence, prompt and step. Some graphs look as
 * if they kept sequences apart, and have a batch of 1 inside, or one length for all.
 *
 * @returns why several sequences cannot share a run; undefined: they can
 */
export async function whyNotTogether(
  decoder: BatchDecoder,
  vocabularySize: number,
  contextLength: number,
): Promise<string | undefined> {
  if (contextLength < 4) return "the context is too short for more than one";
  const [id, other] = [0, vocabularySize > 1 ? 1 : 0];
  const prompt = [id, other];
  const alone = await run(decoder, prompt, id);
  decoder.forget();
  const outcomes = await Promise.allSettled([
    run(decoder, prompt, id),
    run(decoder, [other, ...prompt], other),
  ]);
  decoder.forget();
  const [together, longer] = outcomes;
  if (together.status === "rejected") return failed(together.reason);
  if (longer.status === "rejected") return failed(longer.reason);
  for (const [index, logits] of together.value.entries()) {
    if (differ(logits, alone[index] ?? logits)) {
      return "the graph computed other logits for a sequence beside another than alone";
    }
  }
  return undefined;
}

function failed(error: unknown): string {
  return `the graph failed with two sequences: ${messageOf(error)}`;
}

/** Logits behind the prompt, and behind one id more. */
async function run(
  decoder: BatchDecoder,
  prompt: readonly number[],
  next: number,
): Promise<readonly Float32Array[]> {
  const seen: Float32Array[] = [];
  const sequence: Sequence = decoder.begin(prompt, prompt.length + 1, (logits) => {
    seen.push(logits.slice());
    return { id: next, logprob: undefined, topLogprobs: undefined };
  });
  try {
    await sequence.advance(prompt);
    sequence.choose();
    await sequence.advance([next]);
    sequence.choose();
  } finally {
    sequence.end();
  }
  return seen;
}

function differ(one: Float32Array, other: Float32Array): boolean {
  let [least, most, largest] = [Infinity, -Infinity, 0];
  for (const [index, value] of one.entries()) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    largest = Math.max(largest, Math.abs(value - (other[index] ?? Number.NaN)));
  }
  // What is no number is not equal to itself either, and is found when it is chosen from.
  return largest > tolerance * (most - least);
}
