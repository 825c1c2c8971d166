import type { GenerationRequest } from "@streamgauge/core";
import { commonPrefixLength, worthOf } from "../common-prefix.js";

/** What routing has to know of a worker that has room. */
export interface RoutedWorker {
  /** The last prompts that it ran, as far as its caches may hold them. */
  readonly lastPrompts: readonly GenerationRequest["prompt"][];
  /** Generations that it runs now. */
  readonly running: number;
}

/**
 * Chooses a worker for a prompt: one whose caches begin with most of it; if none has
 * half of it, one with the fewest generations, of those the one whose caches have most,
 * and then, as where none has more than next to nothing, the first.
 *
 * @param workers those with room, the one that is free longest first
 */
export function routeByPrefix<Worker extends RoutedWorker>(
  workers: readonly Worker[],
  prompt: GenerationRequest["prompt"],
): Worker | undefined {
  const { length } = spell(prompt);
  const candidates = workers.map((worker) => {
    const shared = Math.max(0, ...worker.lastPrompts.map((last) => sharedLength(last, prompt)));
    const saved = shared >= length / 2 ? shared : 0;
    return { worker, worth: worthOf(shared, length), saved };
  });
  return candidates.toSorted(
    (left, right) =>
      right.saved - left.saved ||
      left.worker.running - right.worker.running ||
      right.worth - left.worth,
  )[0]?.worker;
}

/**
 * How much two prompts have in common at their beginnings: code units of texts and
 * conversations, ids of ids, nothing of prompts of different kinds.
 */
function sharedLength(
  left: GenerationRequest["prompt"],
  right: GenerationRequest["prompt"],
): number {
  if (isConversation(left) !== isConversation(right)) return 0;
  const [first, second] = [spell(left), spell(right)];
  if (typeof first !== typeof second) return 0;
  return commonPrefixLength<string | number>(first, second);
}

function isConversation(prompt: GenerationRequest["prompt"]): boolean {
  return typeof prompt === "object" && "messages" in prompt;
}

/** A conversation as a text that begins alike where its messages do. */
function spell(prompt: GenerationRequest["prompt"]): string | readonly number[] {
  if (typeof prompt === "string" || !("messages" in prompt)) return prompt;
  return prompt.messages.map(({ role, content }) => `${role}: ${content}\n`).join("");
}
