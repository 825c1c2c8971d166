import { booleanCheck, integerCheck, numberCheck, signalCheck } from "./option-checks.js";
import {
  invalidOption,
  readOptions,
  type OptionNaming,
  type OptionTable,
  type ResolvedOptions,
} from "./option-table.js";
import { isTokenId } from "./token-id.js";

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
   * they were produced. The one that is complete first counts, and among those that
   * are complete at once the longest. Needs a model with a tokenizer.
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

/** The options that stay `undefined` when they are not given. */
type WithoutDefault = "topK" | "topP" | "minP" | "typicalP" | "deadlineMilliseconds" | "signal";

/** The options that are resolved to another form than they are given in. */
interface Reshaped {
  /** Each id once. */
  readonly logitBias: readonly (readonly [id: number, bias: number])[];
  readonly stop: readonly string[];
}

type Checked = ResolvedOptions<GenerationConfig, WithoutDefault, Reshaped>;

/**
 * A config with every default filled in: plain data that crosses threads. The
 * signal is not part of it, because a signal stays on the thread that made it.
 */
export interface ResolvedConfig extends Omit<Checked, "signal"> {}

/** The default of {@link GenerationConfig.maxTokens}. */
export const defaultMaxTokens = 128;

/** The largest seed: the generator of random numbers is seeded with 32 bits. */
const maximumSeed = 2 ** 32 - 1;

/** Node fires a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

const penaltyCheck = numberCheck({ from: -2, to: 2 });
const shareCheck = numberCheck({ above: 0, to: 1 });
const biasCheck = numberCheck({ from: -100, to: 100 });

/**
 * All that is known of each option. The default is a value that changes nothing,
 * except for the options of {@link alwaysHonoured}.
 */
const table: OptionTable<GenerationConfig, Checked> = {
  maxTokens: { check: integerCheck(1), default: defaultMaxTokens },
  temperature: { check: numberCheck({ from: 0 }), default: 0 },
  topK: { check: integerCheck(1), default: undefined },
  topP: { check: shareCheck, default: undefined },
  minP: { check: numberCheck({ from: 0, to: 1 }), default: undefined },
  typicalP: { check: shareCheck, default: undefined },
  repetitionPenalty: { check: numberCheck({ above: 0 }), default: 1 },
  presencePenalty: { check: penaltyCheck, default: 0 },
  frequencyPenalty: { check: penaltyCheck, default: 0 },
  logitBias: {
    check: {
      accepts: isLogitBias,
      expected: "an object whose keys are token ids and whose values are numbers from -100 to 100",
    },
    default: [],
    resolve: (biases) => Object.entries(biases).map(([id, bias]) => [Number(id), bias] as const),
  },
  noRepeatNgramSize: { check: integerCheck(0), default: 0 },
  minTokens: { check: integerCheck(0), default: 0 },
  seed: {
    check: integerCheck(0, maximumSeed),
    defaultFrom: () => Math.floor(Math.random() * (maximumSeed + 1)),
  },
  stop: {
    check: {
      accepts: (value): value is string | readonly string[] =>
        isStopString(value) || (Array.isArray(value) && value.every(isStopString)),
      expected: "a text, or an array of texts, that are not empty and have no half of a character",
    },
    default: [],
    resolve: (stop) => (typeof stop === "string" ? [stop] : stop),
  },
  stopTokenIds: {
    check: {
      accepts: (value) => Array.isArray(value) && value.every(isTokenId),
      expected: "an array of token ids (integers ≥ 0)",
    },
    default: [],
  },
  ignoreEos: { check: booleanCheck, default: false },
  plainPrompt: { check: booleanCheck, default: false },
  logprobs: { check: booleanCheck, default: false },
  topLogprobs: { check: integerCheck(0, 20), default: 0 },
  deadlineMilliseconds: { check: numberCheck({ above: 0, to: longestTimer }), default: undefined },
  clientId: {
    check: { accepts: (value) => typeof value === "string", expected: "a string" },
    default: "",
  },
  signal: { check: signalCheck, default: undefined },
};

/** The names of all options of a generation. */
export const generationOptionNames: readonly (keyof GenerationConfig)[] = Object.keys(
  table,
) as (keyof GenerationConfig)[];

const naming: OptionNaming = {
  code: "INVALID_CONFIG",
  all: "The config",
  one: (name) => `Option "${name}"`,
};

/** The options that every generator honours. */
const alwaysHonoured = ["maxTokens", "seed", "deadlineMilliseconds", "clientId"] as const;

/** An option that a generator may be unable to honour. */
export type OptionalOption = Exclude<keyof ResolvedConfig, (typeof alwaysHonoured)[number]>;

/**
 * The options that ask for something: those that are not at the value that
 * changes nothing. A generator that cannot honour all of them has to refuse the
 * rest with `INVALID_CONFIG`.
 */
export function requestedOptions(config: ResolvedConfig): OptionalOption[] {
  return (Object.keys(config) as (keyof ResolvedConfig)[]).filter(
    (option): option is OptionalOption => {
      if ((alwaysHonoured as readonly string[]).includes(option)) return false;
      const value = config[option];
      const entry = table[option];
      return Array.isArray(value)
        ? value.length > 0
        : !("default" in entry && value === entry.default);
    },
  );
}

/**
 * The one validator of generation options.
 *
 * @throws StreamgaugeError `INVALID_CONFIG`, naming the option, its value and what it may be
 */
export function resolveConfig(config: GenerationConfig = {}): ResolvedConfig {
  const { signal: _signal, ...resolved } = readOptions(config, table, naming);
  refuseContradictions(resolved);
  return resolved;
}

function refuseContradictions(config: ResolvedConfig): void {
  const { temperature, minTokens, maxTokens, topLogprobs, logprobs } = config;
  for (const key of ["topK", "topP", "minP", "typicalP"] as const) {
    if (temperature === 0 && config[key] !== undefined) {
      throw invalidOption(
        `Option "${key}" has no effect at temperature 0, which always takes the likeliest id: ` +
          `set a temperature above 0, or leave "${key}" out.`,
        "INVALID_CONFIG",
      );
    }
  }
  if (topLogprobs > 0 && !logprobs) {
    throw invalidOption(
      `Option "topLogprobs" is ${topLogprobs} without "logprobs": set "logprobs" to true too, or ` +
        `leave "topLogprobs" out.`,
      "INVALID_CONFIG",
    );
  }
  if (minTokens > maxTokens) {
    throw invalidOption(
      `Option "minTokens" is ${minTokens}, and "maxTokens" only ${maxTokens}: lower the one or ` +
        `raise the other.`,
      "INVALID_CONFIG",
    );
  }
  const canEnd = !config.ignoreEos || config.stop.length + config.stopTokenIds.length > 0;
  if (minTokens > 0 && !canEnd) {
    throw invalidOption(
      `Option "minTokens" has no effect beside "ignoreEos" without "stop" and "stopTokenIds", ` +
        `where nothing ends the completion early: leave it out.`,
      "INVALID_CONFIG",
    );
  }
}

function isLogitBias(value: unknown): value is Readonly<Record<number, number>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    // Written as numbers are, so that no two keys are one id.
    ([id, bias]) => String(Number(id)) === id && isTokenId(Number(id)) && biasCheck.accepts(bias),
  );
}

function isStopString(value: unknown): value is string {
  // Half a surrogate pair is in no text, and cutting there would leave the other half.
  return typeof value === "string" && value !== "" && !/\p{Surrogate}/u.test(value);
}
