import { invalidOption } from "@streamgauge/core";
import type { Draw } from "../statistics/draw.js";

/** How many tokens or words: always as many, or drawn. Plain data. */
export type Length =
  | { readonly kind: "fixed"; readonly count: number }
  /** Both included, all as likely. */
  | { readonly kind: "uniform"; readonly lowest: number; readonly highest: number }
  /** Rounded; from 1 to `highest`. */
  | {
      readonly kind: "lognormal";
      readonly median: number;
      /** Standard deviation of the logarithm. */
      readonly sigma: number;
      readonly highest: number;
    };

/** No model's context is as long. */
const largest = 2 ** 22;

/** How a length is written, for help texts and errors. */
export const lengthForms = '"128", "64-256" or "lognormal:128:0.6:1024" (median, sigma, most)';

/**
 * Reads a length as {@link lengthForms} has it.
 *
 * @param what the length is of, for the error
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function parseLength(text: string, what: string): Length {
  const length = lengthOf(text);
  if (length !== undefined) return length;
  throw invalidOption(
    `${what} is "${text}"; it must be ${lengthForms}, in integers from 1 to ${largest}, the lower ` +
      `one first, and a sigma above 0.`,
  );
}

/** The inverse of {@link parseLength}. */
export function showLength(length: Length): string {
  switch (length.kind) {
    case "fixed":
      return String(length.count);
    case "uniform":
      return `${length.lowest}-${length.highest}`;
    case "lognormal":
      return `lognormal:${length.median}:${length.sigma}:${length.highest}`;
    default:
      return length satisfies never;
  }
}

/** At least 1. */
export function drawLength(length: Length, draw: Draw): number {
  switch (length.kind) {
    case "fixed":
      return length.count;
    case "uniform":
      return draw.integer(length.lowest, length.highest);
    case "lognormal": {
      const drawn = Math.round(length.median * Math.exp(length.sigma * drawNormal(draw)));
      return Math.min(length.highest, Math.max(1, drawn));
    }
    default:
      return length satisfies never;
  }
}

function lengthOf(text: string): Length | undefined {
  const [, fixed] = /^(\d+)$/.exec(text) ?? [];
  if (fixed !== undefined) {
    return isCount(Number(fixed)) ? { kind: "fixed", count: Number(fixed) } : undefined;
  }
  const range = /^(\d+)-(\d+)$/.exec(text)?.slice(1).map(Number);
  if (range !== undefined) {
    const [lowest = 0, highest = 0] = range;
    if (!isCount(lowest) || !isCount(highest) || lowest > highest) return undefined;
    return { kind: "uniform", lowest, highest };
  }
  const drawn = /^lognormal:(\d+):(\d+(?:\.\d+)?):(\d+)$/.exec(text)?.slice(1).map(Number);
  const [median = 0, sigma = 0, highest = 0] = drawn ?? [];
  if (!isCount(median) || !isCount(highest) || median > highest || !(sigma > 0 && sigma < 10)) {
    return undefined;
  }
  return { kind: "lognormal", median, sigma, highest };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= largest;
}

/** Box and Muller 1958. */
function drawNormal(draw: Draw): number {
  const radius = Math.sqrt(-2 * Math.log1p(-draw.fraction()));
  return radius * Math.cos(2 * Math.PI * draw.fraction());
}
