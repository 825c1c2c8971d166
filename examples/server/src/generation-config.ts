import { defaultMaxTokens, type GenerationConfig } from "@streamgauge/core";
import type { RecommendedSampling } from "@streamgauge/runtime";
import { invalid, type CommonBody } from "./request-schema.js";

/**
 * How a request asks to generate, in the library's words.
 *
 * @throws HttpFailure 400 naming the parameter
 */
export function configOf(
  body: CommonBody,
  maxTokens: number | undefined,
  recommended: RecommendedSampling,
): GenerationConfig {
  return {
    ...samplingOf(body, recommended),
    ...withoutUndefined({
      maxTokens,
      minTokens: minTokensOf(body, maxTokens ?? defaultMaxTokens),
      seed: body.seed,
      stop: body.stop,
      stopTokenIds: body.stop_token_ids,
      ignoreEos: body.ignore_eos,
      presencePenalty: body.presence_penalty,
      frequencyPenalty: body.frequency_penalty,
      repetitionPenalty: body.repetition_penalty,
      noRepeatNgramSize: body.no_repeat_ngram_size,
      logitBias: body.logit_bias && readLogitBias(body.logit_bias),
      clientId: body.user,
    }),
  };
}

/**
 * The model's own advice is one set: whoever chooses a part chooses all of it. A value that
 * turns an option off takes it out of the set.
 */
function samplingOf(body: CommonBody, recommended: RecommendedSampling): GenerationConfig {
  const choices = [
    { name: "top_k", key: "topK", given: body.top_k, isOff: (body.top_k ?? 0) < 1 },
    { name: "top_p", key: "topP", given: body.top_p, isOff: body.top_p === 1 },
    { name: "min_p", key: "minP", given: body.min_p, isOff: body.min_p === 0 },
    { name: "typical_p", key: "typicalP", given: body.typical_p, isOff: body.typical_p === 1 },
  ] as const;
  const chosen = choices.filter(({ given, isOff }) => given !== undefined && !isOff);
  const isOwn = body.temperature !== undefined || body.top_p !== undefined || chosen.length > 0;
  const { temperature = 1 } = body;
  if (isOwn && temperature === 0) {
    // The likeliest id is what greedy choice takes.
    const useless = chosen.find(({ key, given }) => !(key === "topK" && given === 1));
    if (useless === undefined) return { temperature };
    throw invalid(useless.name, "it has no effect at temperature 0: leave one of them out");
  }
  const turnedOff = choices.filter(({ given, isOff }) => given !== undefined && isOff);
  const base: Record<string, number> = isOwn ? { temperature } : { ...recommended };
  for (const { key } of turnedOff) delete base[key];
  return { ...base, ...Object.fromEntries(chosen.map(({ key, given }) => [key, given])) };
}

function minTokensOf(
  {
    min_tokens: minTokens,
    ignore_eos: ignoreEos = false,
    stop = [],
    stop_token_ids = [],
  }: CommonBody,
  maxTokens: number,
): number | undefined {
  if (minTokens === undefined) return undefined;
  if (minTokens > maxTokens) {
    throw invalid("min_tokens", `it is ${minTokens}, and max_tokens is ${maxTokens}`);
  }
  // Load tools send both, and nothing can end the completion early then.
  const canEnd = !ignoreEos || stop.length > 0 || stop_token_ids.length > 0;
  return canEnd ? minTokens : undefined;
}

/** Its keys are numbers before anything is looked up by them. */
function readLogitBias(given: object): Readonly<Record<number, number>> {
  const biases = Object.entries(given).map(([key, bias]: [string, unknown]) => {
    const name = `logit_bias.${key}`;
    const id = Number(key);
    if (!/^(0|[1-9]\d{0,9})$/.test(key) || id > 2 ** 31 - 1) {
      throw invalid(name, "the keys are token ids");
    }
    if (typeof bias === "number" && bias >= -100 && bias <= 100) return [id, bias] as const;
    throw invalid(name, "expected a number from -100 to 100");
  });
  return Object.fromEntries(biases);
}

function withoutUndefined<T extends object>(settings: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: NonNullable<T[K]> };
}
