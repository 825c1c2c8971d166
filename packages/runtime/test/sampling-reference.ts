/**
 * What the sampling options mean, written from their definitions: everything is
 * sorted, counted and summed anew, nothing is shared with the implementation.
 */
import type { GenerationConfig } from "@streamgauge/core";

/** The ids before the position in question. */
export interface Past {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
  readonly eosIds: readonly number[];
}

/** Logits after bias, penalties, n-grams and minimum length. Each step rounds to 32 bits. */
export function referenceScores(
  logits: readonly number[],
  config: GenerationConfig,
  { prompt, completion, eosIds }: Past,
): number[] {
  const { logitBias = {}, repetitionPenalty = 1, presencePenalty = 0 } = config;
  const { frequencyPenalty = 0, noRepeatNgramSize: n = 0, minTokens = 0 } = config;
  const past = [...prompt, ...completion];
  const endIds = [...(config.ignoreEos === true ? [] : eosIds), ...(config.stopTokenIds ?? [])];
  const begun = past.slice(past.length - n + 1).join();
  const ngrams = past.map((_, from) => past.slice(from, from + n)).filter((g) => g.length === n);
  const isRepeated = (id: number): boolean =>
    n > 0 &&
    past.length >= n - 1 &&
    ngrams.some(
      (ngram) => ngram.slice(0, -1).join() === (n === 1 ? "" : begun) && ngram.at(-1) === id,
    );
  return logits.map((logit, id) => {
    let score = Math.fround(logit + (logitBias[id] ?? 0));
    if (past.includes(id)) {
      score = Math.fround(score > 0 ? score / repetitionPenalty : score * repetitionPenalty);
    }
    const count = completion.filter((other) => other === id).length;
    if (count > 0) score = Math.fround(score - count * frequencyPenalty - presencePenalty);
    if (isRepeated(id)) return -Infinity;
    return completion.length < minTokens && endIds.includes(id) ? -Infinity : score;
  });
}

/** Probabilities after temperature, top-k, top-p, min-p and typical-p. */
export function referenceProbabilities(
  scores: readonly number[],
  config: GenerationConfig,
): number[] {
  const { temperature = 1, topK, topP, minP, typicalP } = config;
  let left = softmax(scores.map((score) => score / temperature));
  const byScore = [...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]! || a - b);
  if (topK !== undefined) left = only(left, new Set(byScore.slice(0, topK)));
  if (topP !== undefined) left = only(left, leading(byScore, left, topP));
  if (minP !== undefined) {
    const largest = largestOf(left);
    left = only(left, new Set(byScore.filter((id) => left[id]! >= minP * largest)));
  }
  if (typicalP !== undefined) {
    const possible = byScore.filter((id) => left[id]! > 0);
    const surprise = left.map((p) => -Math.log(p));
    const entropy = possible.reduce((sum, id) => sum + left[id]! * surprise[id]!, 0);
    const distance = surprise.map((value) => Math.abs(value - entropy));
    const byDistance = possible.toSorted((a, b) => distance[a]! - distance[b]! || a - b);
    left = only(left, leading(byDistance, left, typicalP));
  }
  return left;
}

export function softmax(values: readonly number[]): number[] {
  const largest = largestOf(values);
  const weights = values.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** `Math.max` of more values than a call can have arguments. */
export function largestOf(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

/** The shortest beginning of the order whose probabilities sum to at least `mass`. */
function leading(order: readonly number[], probabilities: readonly number[], mass: number) {
  const ids = new Set<number>();
  let sum = 0;
  for (const id of order) {
    ids.add(id);
    sum += probabilities[id]!;
    if (sum >= mass) break;
  }
  return ids;
}

function only(probabilities: readonly number[], ids: ReadonlySet<number>): number[] {
  const kept = probabilities.map((probability, id) => (ids.has(id) ? probability : 0));
  const sum = kept.reduce((a, b) => a + b, 0);
  return kept.map((probability) => probability / sum);
}
