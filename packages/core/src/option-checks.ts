import type { GenerationConfig } from "./config.js";

/** The largest seed: the generator of random numbers is seeded with 32 bits. */
export const maximumSeed: number = 2 ** 32 - 1;

/** Node fires a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

/** Ids cross threads as 32-bit integers. */
export const isTokenId: (value: unknown) => boolean = isIntegerBetween(0, 2 ** 31 - 1);

const isBias = isNumberBetween(-100, 100);

/** What one option may be. */
export interface Check {
  readonly accepts: (value: unknown) => boolean;
  readonly expected: string;
}

/** What each option may be, whatever the others are. */
export const checks: Record<keyof GenerationConfig, Check> = {
  maxTokens: { accepts: isIntegerBetween(1), expected: "an integer ≥ 1" },
  temperature: {
    accepts: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
    expected: "a finite number ≥ 0",
  },
  topK: { accepts: isIntegerBetween(1), expected: "an integer ≥ 1" },
  topP: { accepts: isShare, expected: "a number above 0 and up to 1" },
  minP: { accepts: isNumberBetween(0, 1), expected: "a number from 0 to 1" },
  typicalP: { accepts: isShare, expected: "a number above 0 and up to 1" },
  repetitionPenalty: {
    accepts: (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
    expected: "a finite number above 0",
  },
  presencePenalty: { accepts: isNumberBetween(-2, 2), expected: "a number from -2 to 2" },
  frequencyPenalty: { accepts: isNumberBetween(-2, 2), expected: "a number from -2 to 2" },
  logitBias: {
    accepts: isLogitBias,
    expected: "an object whose keys are token ids and whose values are numbers from -100 to 100",
  },
  noRepeatNgramSize: { accepts: isIntegerBetween(0), expected: "an integer ≥ 0" },
  minTokens: { accepts: isIntegerBetween(0), expected: "an integer ≥ 0" },
  seed: {
    accepts: isIntegerBetween(0, maximumSeed),
    expected: `an integer from 0 to ${maximumSeed}`,
  },
  stop: {
    accepts: (value) => isStopString(value) || (Array.isArray(value) && value.every(isStopString)),
    expected: "a text, or an array of texts, that are not empty and have no half of a character",
  },
  stopTokenIds: {
    accepts: (value) => Array.isArray(value) && value.every(isTokenId),
    expected: "an array of token ids (integers ≥ 0)",
  },
  ignoreEos: { accepts: isBoolean, expected: "true or false" },
  plainPrompt: { accepts: isBoolean, expected: "true or false" },
  logprobs: { accepts: isBoolean, expected: "true or false" },
  topLogprobs: { accepts: isIntegerBetween(0, 20), expected: "an integer from 0 to 20" },
  deadlineMilliseconds: {
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

function isShare(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= 1;
}

function isNumberBetween(minimum: number, maximum: number) {
  return (value: unknown): boolean =>
    typeof value === "number" && value >= minimum && value <= maximum;
}

function isLogitBias(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    // Written as numbers are, so that no two keys are one id.
    ([id, bias]) => String(Number(id)) === id && isTokenId(Number(id)) && isBias(bias),
  );
}

function isStopString(value: unknown): boolean {
  // Half a surrogate pair is in no text, and cutting there would leave the other half.
  return typeof value === "string" && value !== "" && !/\p{Surrogate}/u.test(value);
}

function isIntegerBetween(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return (value: unknown): boolean =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum;
}

/** A value as messages show it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean" || value == null) {
    return String(value);
  }
  return Array.isArray(value) ? "an array with other elements" : `of type ${typeof value}`;
}
