import type { Estimates, GrowthOrder, StackGrowth } from "../record/index.js";
import { estimateBoth, median, minimumSamples } from "../statistics/index.js";

/** Costs at one token count, of each block. */
export interface CostAtSize {
  readonly tokens: number;
  readonly costs: readonly number[];
}

/** A cost is called linear below it: less than half of it is quadratic at the largest count. */
const linearBelow = 1.25;
const superlinearFrom = 1.1;
/** From here on, about three quarters of the cost at the largest count are quadratic. */
const quadraticFrom = 1.5;

/**
 * How a cost grows with the number of tokens: e of cost = start + k · tokensᵉ, from the last three
 * sizes. What a stream costs once is in all of them, and cancels.
 *
 * ```text
 * e = ln((C₃ − C₂) / (C₂ − C₁)) / ln(n₂ / n₁)
 * ```
 *
 * @param sizes ascending; each count is the same multiple of the one before
 * @returns null with fewer than three sizes, without blocks, and where a larger size costs less
 * @throws RangeError where the counts are not in a geometric series
 */
export function growthOf(sizes: readonly CostAtSize[]): StackGrowth | null {
  const [first, second, third] = sizes.slice(-3);
  if (first === undefined || second === undefined || third === undefined) return null;
  const ratio = second.tokens / first.tokens;
  if (third.tokens / second.tokens !== ratio) {
    throw new RangeError(
      `${[first, second, third].map(({ tokens }) => tokens).join(", ")} tokens: each has to be the ` +
        "same multiple of the one before.",
    );
  }
  const exponentOf = (low: number, middle: number, high: number): number =>
    low < middle && middle < high
      ? Math.log((high - middle) / (middle - low)) / Math.log(ratio)
      : Number.NaN;
  if (first.costs.length === 0) return null;
  const exponent = exponentOf(median(first.costs), median(second.costs), median(third.costs));
  if (!Number.isFinite(exponent)) return null;
  const samples = first.costs.map((low, block) =>
    exponentOf(low, second.costs[block] as number, third.costs[block] as number),
  );
  const estimates =
    samples.length >= minimumSamples && samples.every(Number.isFinite)
      ? estimateBoth(samples)
      : null;
  return {
    tokens: [first.tokens, second.tokens, third.tokens],
    exponent,
    estimates,
    order: estimates === null ? null : orderOf(estimates),
  };
}

function orderOf({ hodgesLehmann: { interval95 } }: Estimates): GrowthOrder {
  if (interval95.lower > quadraticFrom) return "quadratic";
  if (interval95.lower > superlinearFrom) return "more than linear";
  return interval95.upper < linearBelow ? "linear" : "unclear";
}
