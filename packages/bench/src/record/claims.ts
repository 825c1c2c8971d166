import type { Comparison } from "./analysis.js";
import { look, type Look } from "./run-plan.js";
import {
  array,
  boolean,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
  type Check,
} from "./shape.js";
import { comparedTreatment } from "./treatment.js";
import { verdict, type Verdict } from "./verdict.js";

/**
 * What a claim limits. `overhead`: {@link Comparison.overhead}, a fraction.
 * `absoluteCost`: {@link Comparison.costMicrosecondsPerToken}. `difference`: the
 * overhead again, to both sides: that there is none.
 */
export type ClaimMetric = "overhead" | "absoluteCost" | "difference";

/** A claim held against one cell. */
export interface ClaimResult {
  readonly id: string;
  readonly metric: ClaimMetric;
  readonly treatment: Comparison["treatment"];
  /** {@link CellIdentity.id} */
  readonly cell: string;
  /** The claim is that the metric is below it, or within ± it; in the metric's unit. */
  readonly limit: number;
  readonly verdict: Verdict;
  /** Why, in sentences. */
  readonly reasons: readonly string[];
  /**
   * The look that decided, of those that were planned; only where there was more
   * than one.
   */
  readonly look?: Look | null;
  /** `generate` against itself; null where nothing was decided by it, and for a difference. */
  readonly control: {
    /**
     * The systematic error that the control leaves room for: the largest of the one-sided
     * bounds of both estimators, at the level of the claim's, in the metric's unit. In
     * records from before a quarter of the limit.
     */
    readonly margin: number;
    /**
     * Whether it shows no difference: the two-sided interval of one of the estimators
     * holds it. In records from before: whether it is surely within the margin.
     */
    readonly equivalent: boolean;
  } | null;
  /**
   * Token time at which the limit would just be reached; null without an
   * analysis, and for an absolute cost, which is the same at any token time.
   */
  readonly breakEvenMicrosecondsPerToken: number | null;
}

/** Checks a {@link ClaimMetric}. */
export const claimMetric: Check<ClaimMetric> = oneOf("overhead", "absoluteCost", "difference");

/** Checks a {@link ClaimResult}. */
export const claimResult: Check<ClaimResult> = object({
  id: string,
  metric: claimMetric,
  treatment: comparedTreatment,
  cell: string,
  limit: number,
  verdict,
  reasons: array(string),
  look: optional(nullable(look)),
  control: nullable(object({ margin: number, equivalent: boolean })),
  breakEvenMicrosecondsPerToken: nullable(number),
});
