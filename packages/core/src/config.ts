import { StreamgaugeError } from "./errors.js";
import type { Prompt } from "./generator.js";

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
  /** Draw from this many of the likeliest ids only, ≥ 1. Needs a temperature above 0. */
  readonly topK?: number;
  /**
   * Draw from the smallest set of likeliest ids whose probabilities sum to at
   * least this, in (0, 1]. Applied after `topK`. Needs a temperature above 0.
   */
  readonly topP?: number;
  /**
   * Seed of the draws, an integer in [0, 2³² − 1]. The same seed gives the same
   * ids on any worker. Without it a seed is drawn for each call.
   */
  readonly seed?: number;
  /** Ids that end the completion when they are produced; the id itself is kept. */
  readonly stopTokenIds?: readonly number[];
  /** Go on when the model produces its end-of-sequence token. Default false. */
  readonly ignoreEos?: boolean;
  /** Give each token's log-probability. Default false. */
  readonly logprobs?: boolean;
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
  readonly seed: number;
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  readonly logprobs: boolean;
  readonly deadlineMilliseconds: number | undefined;
  readonly clientId: string;
}

/** The default of {@link GenerationConfig.maxTokens}. */
export const defaultMaxTokens = 128;

const maximumSeed = 2 ** 32 - 1;
const longestTimer = 2 ** 31 - 1;

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
  const temperature = config.temperature ?? 0;
  for (const key of ["topK", "topP"] as const) {
    if (temperature === 0 && config[key] !== undefined) {
      throw invalid(
        `Option "${key}" has no effect at temperature 0, which always takes the likeliest id: ` +
          `set a temperature above 0, or leave "${key}" out.`,
      );
    }
  }
  return {
    maxTokens: config.maxTokens ?? defaultMaxTokens,
    temperature,
    topK: config.topK,
    topP: config.topP,
    seed: config.seed ?? Math.floor(Math.random() * (maximumSeed + 1)),
    stopTokenIds: config.stopTokenIds ?? [],
    ignoreEos: config.ignoreEos ?? false,
    logprobs: config.logprobs ?? false,
    deadlineMilliseconds: config.deadlineMilliseconds,
    clientId: config.clientId ?? "",
  };
}

/**
 * Checks the part of a prompt's contract that needs no model.
 *
 * @returns the prompt as plain data that crosses threads
 * @throws StreamgaugeError `INVALID_PROMPT`
 */
export function resolvePrompt(prompt: Prompt): string | readonly number[] {
  if (typeof prompt === "string") {
    if (prompt === "") throw new StreamgaugeError("INVALID_PROMPT", emptyPrompt);
    return prompt;
  }
  if (typeof prompt !== "object" || prompt === null || typeof prompt.length !== "number") {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `The prompt is ${show(prompt)}; it must be a string or an array of token ids.`,
    );
  }
  if (prompt.length === 0) throw new StreamgaugeError("INVALID_PROMPT", emptyPrompt);
  const ids = Array.from(prompt);
  for (const [position, id] of ids.entries()) {
    if (!isTokenId(id)) {
      throw new StreamgaugeError(
        "INVALID_PROMPT",
        `The prompt's id at position ${position} is ${show(id)}; ids are integers ≥ 0.`,
      );
    }
  }
  return ids;
}

const emptyPrompt =
  "The prompt is empty: a model needs at least one token to continue. " +
  "Give some text, or the model's beginning-of-sequence id.";

/** Ids cross threads as 32-bit integers. */
const isTokenId = isIntegerBetween(0, 2 ** 31 - 1);

interface Check {
  readonly accepts: (value: unknown) => boolean;
  readonly expected: string;
}

const checks: Record<keyof GenerationConfig, Check> = {
  maxTokens: { accepts: isIntegerBetween(1), expected: "an integer ≥ 1" },
  temperature: {
    accepts: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
    expected: "a finite number ≥ 0",
  },
  topK: { accepts: isIntegerBetween(1), expected: "an integer ≥ 1" },
  topP: {
    accepts: (value) => typeof value === "number" && value > 0 && value <= 1,
    expected: "a number above 0 and up to 1",
  },
  seed: {
    accepts: (value) => isIntegerBetween(0, maximumSeed)(value),
    expected: `an integer from 0 to ${maximumSeed}`,
  },
  stopTokenIds: {
    accepts: (value) => Array.isArray(value) && value.every(isTokenId),
    expected: "an array of token ids (integers ≥ 0)",
  },
  ignoreEos: { accepts: isBoolean, expected: "true or false" },
  logprobs: { accepts: isBoolean, expected: "true or false" },
  deadlineMilliseconds: {
    // A longer timer than this fires at once.
    accepts: (value) => typeof value === "number" && value > 0 && value <= longestTimer,
    expected: `a number above 0 and up to ${longestTimer}`,
  },
  clientId: { accepts: (value) => typeof value === "string", expected: "a string" },
  signal: {
    // By shape: a signal can come from another realm or a polyfill.
    accepts: (value) =>
      typeof value === "object" &&
      value !== null &&
      "aborted" in value &&
      "addEventListener" in value,
    expected: "an AbortSignal",
  },
};

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

function isIntegerBetween(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return (value: unknown): boolean =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean" || value == null) {
    return String(value);
  }
  return Array.isArray(value) ? "an array with other elements" : `of type ${typeof value}`;
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_CONFIG", message);
}
