import type { ResolvedConfig } from "@streamgauge/core";

/** Changes logits before the choice, in view of the ids that were chosen before it. */
export interface LogitsProcessor {
  /** @param scores by id; changed in place */
  apply(scores: Float32Array): void;
  /** Takes note of an id that was chosen. */
  accept(id: number): void;
}

/** What a choice depends on beside logits and options. */
export interface SamplingContext {
  readonly promptIds: readonly number[];
  readonly eosTokenIds: ReadonlySet<number>;
}

/**
 * The processors that a config asks for, in the order in which Hugging Face
 * applies them: bias, repetition, n-grams, minimum length. It has none for
 * presence and frequency; as in vLLM they come next after repetition.
 */
export function createLogitsProcessors(
  config: ResolvedConfig,
  context: SamplingContext,
): LogitsProcessor[] {
  const { logitBias, repetitionPenalty, presencePenalty, frequencyPenalty } = config;
  const { noRepeatNgramSize, minTokens } = config;
  const { promptIds } = context;
  const processors: LogitsProcessor[] = [];
  if (logitBias.length > 0) processors.push(biasLogits(logitBias));
  if (repetitionPenalty !== 1) processors.push(penalizeRepetition(repetitionPenalty, promptIds));
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    processors.push(penalizeOccurrences(presencePenalty, frequencyPenalty));
  }
  if (noRepeatNgramSize > 0) processors.push(forbidRepeatedNgrams(noRepeatNgramSize, promptIds));
  if (minTokens > 0) {
    // An end-of-sequence token that is ignored ends nothing.
    const eosTokenIds = config.ignoreEos ? [] : context.eosTokenIds;
    processors.push(forbidEnd(minTokens, [...eosTokenIds, ...config.stopTokenIds]));
  }
  return processors;
}

/** xᵢ + biasᵢ. OpenAI's `logit_bias`; Hugging Face's `sequence_bias` of single ids. */
function biasLogits(biases: ResolvedConfig["logitBias"]): LogitsProcessor {
  return {
    apply(scores) {
      for (const [id, bias] of biases) scores[id] = at(scores, id) + bias;
    },
    accept: () => undefined,
  };
}

/**
 * xᵢ / penalty where xᵢ ≥ 0, xᵢ · penalty where xᵢ < 0, for each id of prompt and
 * completion, once. Hugging Face's `repetition_penalty`, after CTRL (Keskar et al.,
 * arXiv:1909.05858), which divides whatever the sign is and so rewards the unlikely.
 */
function penalizeRepetition(penalty: number, promptIds: readonly number[]): LogitsProcessor {
  const seen = new Set(promptIds);
  return {
    apply(scores) {
      for (const id of seen) {
        const score = at(scores, id);
        scores[id] = score < 0 ? score * penalty : score / penalty;
      }
    },
    accept: (id) => void seen.add(id),
  };
}

/**
 * xᵢ − frequency · cᵢ − presence · [cᵢ > 0], with cᵢ how often the completion has
 * the id, which does not include the prompt. The definition is OpenAI's; vLLM's is the same.
 */
function penalizeOccurrences(presence: number, frequency: number): LogitsProcessor {
  const counts = new Map<number, number>();
  return {
    apply(scores) {
      for (const [id, count] of counts) scores[id] = at(scores, id) - frequency * count - presence;
    },
    accept: (id) => void counts.set(id, (counts.get(id) ?? 0) + 1),
  };
}

/**
 * −∞ for each id that would complete `size` ids in a row that prompt and
 * completion have already. Hugging Face's `no_repeat_ngram_size`.
 */
function forbidRepeatedNgrams(size: number, promptIds: readonly number[]): LogitsProcessor {
  const ids = [...promptIds];
  const context = size - 1;
  return {
    apply(scores) {
      const suffix = ids.length - context;
      for (let end = context; end < ids.length; end++) {
        let matched = 0;
        while (matched < context && ids[end - context + matched] === ids[suffix + matched]) {
          matched += 1;
        }
        if (matched === context) scores[ids[end] ?? 0] = -Infinity;
      }
    },
    accept: (id) => void ids.push(id),
  };
}

/**
 * −∞ for the ids that end a completion, until it has `minTokens` ids. Hugging
 * Face's `min_new_tokens`, which knows end-of-sequence ids; vLLM's `min_tokens`
 * has the stop ids too.
 */
function forbidEnd(minTokens: number, endIds: readonly number[]): LogitsProcessor {
  let made = 0;
  return {
    apply(scores) {
      if (made < minTokens) for (const id of endIds) scores[id] = -Infinity;
    },
    accept: () => void (made += 1),
  };
}

function at(scores: Float32Array, id: number): number {
  return scores[id] ?? Number.NaN;
}
