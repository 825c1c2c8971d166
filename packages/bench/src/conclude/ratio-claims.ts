import type { ClaimResult, Estimates } from "../record/index.js";
import { isEquivalent, minimumSamples } from "../statistics/index.js";
import { compareWithLimit, named } from "./bounds.js";

/** How far from 1 a baseline against itself may be for a ratio to be judged. */
const ratioMargin = 0.25;

/**
 * Decides the claim that a ratio is below a limit, in the same three ways; void
 * unless the baseline against itself is shown to be 1 within a quarter.
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
  const margins = { lower: 1 / (1 + ratioMargin), upper: 1 + ratioMargin };
  const unfit = named(control).filter(([, estimate]) => !isEquivalent(estimate, margins));
  if (unfit.length > 0) {
    const reasons = unfit.map(
      ([name, { value, bounds95 }]) =>
        `Noise: the baseline against itself is ${factor(value)} (${name}, 90 % interval ` +
        `${factor(bounds95.lower)} to ${factor(bounds95.upper)}), not surely within a quarter of 1.`,
    );
    return { verdict: "void", reasons };
  }
  return {
    verdict: compareWithLimit(ratio, limit),
    reasons: named(ratio).map(
      ([name, { bounds95 }]) =>
        `By the ${name} the ratio is surely above ${factor(bounds95.lower)} and below ` +
        `${factor(bounds95.upper)} (each at 95 %); the limit is ${factor(limit)}.`,
    ),
  };
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
