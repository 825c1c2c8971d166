import type { Cell, Comparison } from "../record/index.js";
import { comparisonOf } from "./comparisons.js";
import type { Interval } from "./value.js";

/** What a mode of streaming costs in a cell, by Hodges–Lehmann. */
export interface CostPerToken {
  readonly microseconds: Interval;
  /** A fraction of the time that `generate` took for the same tokens, as measured. */
  readonly ofThisModel: Interval;
}

/** Undefined where the mode was not compared. */
export function costPerToken(
  cell: Cell | undefined,
  mode: Comparison["treatment"],
): CostPerToken | undefined {
  const comparison = comparisonOf(cell, mode);
  if (comparison === undefined) return undefined;
  return {
    microseconds: comparison.costMicrosecondsPerToken.hodgesLehmann,
    ofThisModel: comparison.overhead.hodgesLehmann,
  };
}

/** A cost per token as a fraction of a model that takes so long for each token. */
export function costAtTokenTime(
  { value, interval95: { lower, upper } }: Interval,
  tokenMicroseconds: number,
): Interval {
  return {
    value: value / tokenMicroseconds,
    interval95: { lower: lower / tokenMicroseconds, upper: upper / tokenMicroseconds },
  };
}
