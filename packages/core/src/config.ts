import { StreamgaugeError } from "./errors.js";
import { checks, maximumSeed, show, type Check } from "./option-checks.js";

/**
 * How to generate. Every field is optional; one that is unknown, out of range
 * or without effect beside another is rejected with `INVALID_CONFIG`.
 */
export interface GenerationConfig {
  /** Most tokens to make, ≥ 1. Default 128. */
  readonly maxTokens?: number;
  /**
   * 0 (the default) takes the likeliest id each time ("greedy"); above 0 the
   * logits are divided by it and an id is drawn.
   */
  readonly temperature?: number;
  /**
   * Draw from this many of the likeliest ids only, ≥ 1; of equally likely ones
   * the lower ids. Needs a temperature above 0.
   */
  readonly topK?: number;
  /**
   * Draw from the smallest set of likeliest ids whose probabilities sum to at
   * least this, in (0, 1]. Applied after `topK`. Needs a temperature above 0.
   */
  readonly topP?: number;
  /**
   * Draw from the ids that are at least this many times as probable as the
   * likeliest, in [0, 1]. Applied after `topP`. Needs a temperature above 0.
   */
  readonly minP?: number;
  /**
   * Draw from the smallest set of most typical ids whose probabilities sum to at
   * least this, in (0, 1]; typical is an id whose surprise, −ln p, is near its
   * mean, the entropy. Applied after `minP`. Needs a temperature above 0.
   */
  readonly typicalP?: number;
  /**
   * Divides the logit of every id that prompt or completion have by this where it
   * is positive, and multiplies it where it is negative; once, however often the
   * id occurs. Above 0; 1, the default, changes nothing.
   */
  readonly repetitionPenalty?: number;
  /**
   * Subtracted from the logit of every id that the completion has, however often.
   * From −2 to 2; default 0.
   */
  readonly presencePenalty?: number;
  /**
   * Subtracted from the logit of every id once for each time that the completion
   * has it. From −2 to 2; default 0.
   */
  readonly frequencyPenalty?: number;
  /**
   * Added to the logits of ids: `{ 198: -100 }` all but forbids the id 198. From
   * −100 to 100 each.
   */
  readonly logitBias?: Readonly<Record<number, number>>;
  /**
   * Sequences of this many ids that prompt and completion have once are not made
   * again. 0, the default, allows all.
   */
  readonly noRepeatNgramSize?: number;
  /**
   * The first this many tokens do not end the completion: end-of-sequence and
   * stop ids are not chosen before, and stop strings that are complete before do
   * not count. From 0, the default, to `maxTokens`.
   */
  readonly minTokens?: number;
  /**
   * Seed of the draws, an integer in [0, 2³² − 1]. The same seed gives the same
   * ids on any worker. Without it a seed is drawn for each call.
   */
  readonly seed?: number;
  /**
   * A text that ends the completion when it is made, or several. The completion's
   * text ends just before it, wherever in a token that is; its ids are kept as
   * they were produced. Of several, the one that is complete first counts, and the
   * longest of those that are complete at once. Needs a model with a tokenizer.
   */
  readonly stop?: string | readonly string[];
  /** Ids that end the completion when they are produced; the id itself is kept. */
  readonly stopTokenIds?: readonly number[];
  /** Go on when the model produces its end-of-sequence token. Default false. */
  readonly ignoreEos?: boolean;
  /**
   * Take what is spelt like a special token in the prompt's text, or in what its
   * messages say, for plain text: a user who types `<|im_end|>` then ends no turn. The
   * tokens of the model's chat template, and those that the tokenizer puts around a
   * text, stay special. Default false: such a spelling is the token. Prompts of ids
   * are what they are.
   */
  readonly plainPrompt?: boolean;
  /**
   * Give each token's log-probability: what the model says, before every option
   * that changes the choice. Default false.
   */
  readonly logprobs?: boolean;
  /**
   * With `logprobs`: give this many of the likeliest ids of each position too,
   * with theirs. From 0, the default, to 20.
   */
  readonly topLogprobs?: number;
  /**
   * Most milliseconds from the call to the end, above 0: then the generation
   * stops with the reason "deadline", whether it runs or still waits for its turn.
   */
  readonly deadlineMilliseconds?: number;
  /**
   * On whose behalf the call is made. Where generations wait for their turn,
   * clients take turns: one with many calls does not keep the others waiting.
   * Default: all calls without it are one client's.
   */
  readonly clientId?: string;
  /** Stops the generation when aborted: it then resolves with the tokens so far. */
  readonly signal?: AbortSignal;
}

/**
 * A config with every default filled in: plain data that crosses threads. The
 * signal is not part of it, because a signal stays on the thread that made it.
 */
export interface ResolvedConfig {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number | undefined;
  readonly topP: number | undefined;
  readonly minP: number | undefined;
  readonly typicalP: number | undefined;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** Each id once. */
  readonly logitBias: readonly (readonly [id: number, bias: number])[];
  readonly noRepeatNgramSize: number;
  readonly minTokens: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  readonly plainPrompt: boolean;
  readonly logprobs: boolean;
  readonly topLogprobs: number;
  readonly deadlineMilliseconds: number | undefined;
  readonly clientId: string;
}

/** The default of {@link GenerationConfig.maxTokens}. */
export const defaultMaxTokens = 128;

/** An option that a generator may be unable to honour. */
export type OptionalOption = Exclude<
  keyof ResolvedConfig,
  "maxTokens" | "seed" | "deadlineMilliseconds" | "clientId"
>;

/** The values that change nothing: what an option is when it is not given. */
const neutral: Pick<ResolvedConfig, OptionalOption> = {
  temperature: 0,
  topK: undefined,
  topP: undefined,
  minP: undefined,
  typicalP: undefined,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  noRepeatNgramSize: 0,
  minTokens: 0,
  stop: [],
  stopTokenIds: [],
  ignoreEos: false,
  plainPrompt: false,
  logprobs: false,
  topLogprobs: 0,
};

/**
 * The options that ask for something: those that are not at the value that
 * changes nothing. A generator that cannot honour all of them has to refuse the
 * rest with `INVALID_CONFIG`.
 */
export function requestedOptions(config: ResolvedConfig): OptionalOption[] {
  return (Object.keys(neutral) as OptionalOption[]).filter((option) => {
    const value = config[option];
    return Array.isArray(value) ? value.length > 0 : value !== neutral[option];
  });
}

/**
 * The one validator of generation options.
 *
 * @throws StreamgaugeError `INVALID_CONFIG`, naming the option, its value and what it may be
 */
export function resolveConfig(config: GenerationConfig = {}): ResolvedConfig {
  if (typeof config !== "object" || config === null) {
    throw invalid(`The config must be an object, not ${show(config)}.`);
  }
  for (const key of Object.keys(config)) {
    if (!Object.hasOwn(checks, key)) {
      throw invalid(
        `Unknown option "${key}". Known options: ${Object.keys(checks).toSorted().join(", ")}.`,
      );
    }
  }
  for (const [key, check] of Object.entries(checks) as [keyof GenerationConfig, Check][]) {
    const value = config[key];
    if (value !== undefined && !check.accepts(value)) {
      throw invalid(`Option "${key}" is ${show(value)}; it must be ${check.expected}.`);
    }
  }
  const resolved: ResolvedConfig = {
    maxTokens: config.maxTokens ?? defaultMaxTokens,
    temperature: config.temperature ?? neutral.temperature,
    topK: config.topK,
    topP: config.topP,
    minP: config.minP,
    typicalP: config.typicalP,
    repetitionPenalty: config.repetitionPenalty ?? neutral.repetitionPenalty,
    presencePenalty: config.presencePenalty ?? neutral.presencePenalty,
    frequencyPenalty: config.frequencyPenalty ?? neutral.frequencyPenalty,
    logitBias: Object.entries(config.logitBias ?? {}).map(([id, bias]) => [Number(id), bias]),
    noRepeatNgramSize: config.noRepeatNgramSize ?? neutral.noRepeatNgramSize,
    minTokens: config.minTokens ?? neutral.minTokens,
    seed: config.seed ?? Math.floor(Math.random() * (maximumSeed + 1)),
    stop: typeof config.stop === "string" ? [config.stop] : (config.stop ?? neutral.stop),
    stopTokenIds: config.stopTokenIds ?? neutral.stopTokenIds,
    ignoreEos: config.ignoreEos ?? neutral.ignoreEos,
    plainPrompt: config.plainPrompt ?? neutral.plainPrompt,
    logprobs: config.logprobs ?? neutral.logprobs,
    topLogprobs: config.topLogprobs ?? neutral.topLogprobs,
    deadlineMilliseconds: config.deadlineMilliseconds,
    clientId: config.clientId ?? "",
  };
  refuseContradictions(resolved);
  return resolved;
}

function refuseContradictions(config: ResolvedConfig): void {
  const { temperature, minTokens, maxTokens, topLogprobs, logprobs } = config;
  for (const key of ["topK", "topP", "minP", "typicalP"] as const) {
    if (temperature === 0 && config[key] !== undefined) {
      throw invalid(
        `Option "${key}" has no effect at temperature 0, which always takes the likeliest id: ` +
          `set a temperature above 0, or leave "${key}" out.`,
      );
    }
  }
  if (topLogprobs > 0 && !logprobs) {
    throw invalid(
      `Option "topLogprobs" is ${topLogprobs} without "logprobs": set "logprobs" to true too, or ` +
        `leave "topLogprobs" out.`,
    );
  }
  if (minTokens > maxTokens) {
    throw invalid(
      `Option "minTokens" is ${minTokens}, and "maxTokens" only ${maxTokens}: lower the one or ` +
        `raise the other.`,
    );
  }
  const canEnd = !config.ignoreEos || config.stop.length + config.stopTokenIds.length > 0;
  if (minTokens > 0 && !canEnd) {
    throw invalid(
      `Option "minTokens" has no effect beside "ignoreEos" without "stop" and "stopTokenIds", ` +
        `where nothing ends the completion early: leave it out.`,
    );
  }
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_CONFIG", message);
}
