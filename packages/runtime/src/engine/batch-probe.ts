import { messageOf } from "@streamgauge/core";
import type { BatchDecoder } from "./batch-decoder.js";
import { differ, runPieces } from "./trial-run.js";

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
  const alone = await runPieces(decoder, [prompt, [id]]);
  decoder.forget();
  const outcomes = await Promise.allSettled([
    runPieces(decoder, [prompt, [id]]),
    runPieces(decoder, [[other, ...prompt], [other]]),
  ]);
  decoder.forget();
  const [together, longer] = outcomes;
  if (together.status === "rejected") return failed(together.reason);
  if (longer.status === "rejected") return failed(longer.reason);
  for (const [index, logits] of together.value.entries()) {
    if (differ(logits, alone[index] ?? logits, tolerance)) {
      return "the graph computed other logits for a sequence beside another than alone";
    }
  }
  return undefined;
}

function failed(error: unknown): string {
  return `the graph failed with two sequences: ${messageOf(error)}`;
}
