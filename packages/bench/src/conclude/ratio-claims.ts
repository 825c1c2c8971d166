import type { ClaimResult, Estimates } from "../record/index.js";
import { minimumSamples } from "../statistics/index.js";
import {
  bounds95Of,
  budgetOf,
  excludes,
  intervals95Of,
  named,
  scaleBounds,
  sideOf,
} from "./bounds.js";

/**
 * Decides the claim that a ratio is below a limit, by the rule for claims about cells, on
 * the scale of logarithms: with room for the systematic error that the baseline against
 * itself cannot exclude, and void only where that shows a difference and the claim is
 * otherwise undecided. All blocks are from one process, and so the verdict is about it.
 *
 * @param ratio null where there are too few blocks for an interval
 * @param control the baseline once more, against itself
 */
export function judgeRatio(
  limit: number,
  ratio: Estimates | null,
  control: Estimates | null,
): Pick<ClaimResult, "verdict" | "reasons"> {
  if (ratio === null || control === null) {
    const reason = `There is no interval: it needs ${minimumSamples} blocks, and CPU time that the clock can tell.`;
    return { verdict: "inconclusive", reasons: [reason] };
  }
  const budget = budgetOf(scaleBounds(bounds95Of(control), Math.log));
  const side = sideOf(scaleBounds(bounds95Of(ratio), Math.log), Math.log(limit), budget);
  const reasons = named(bounds95Of(ratio)).map(
    ([name, { lower, upper }]) =>
      `By the ${name} the ratio is surely above ${factor(lower)} and below ${factor(upper)} (each at ` +
      `95 %, in this process); the control leaves room for a factor of ${factor(Math.exp(budget))}; ` +
      `the limit is ${factor(limit)}.`,
  );
  if (side !== "undecided") return { verdict: side, reasons };
  if (!excludes(intervals95Of(control), 1)) return { verdict: "inconclusive", reasons };
  const noise = named(control).map(
    ([name, { value, interval95 }]) =>
      `Noise: the baseline against itself is ${factor(value)} (${name}, 95 % interval ` +
      `${factor(interval95.lower)} to ${factor(interval95.upper)}), which excludes 1.`,
  );
  return { verdict: "void", reasons: [...reasons, ...noise] };
}

/**
 * Decides the claim that a ratio is below a limit where there are too few runs
 * for an interval: by the most and the least that any two runs give.
 */
export function judgeRange(
  limit: number,
  {
    smallestRatio,
    largestRatio,
  }: { readonly smallestRatio: number; readonly largestRatio: number },
): Pick<ClaimResult, "verdict" | "reasons"> {
  const verdict =
    largestRatio < limit ? "upheld" : smallestRatio > limit ? "refuted" : "inconclusive";
  const reason =
    `Any two runs give a ratio from ${factor(smallestRatio)} to ${factor(largestRatio)}; the limit ` +
    `is ${factor(limit)}. So few runs make no interval.`;
  return { verdict, reasons: [reason] };
}

function factor(ratio: number): string {
  return ratio.toFixed(3);
}
