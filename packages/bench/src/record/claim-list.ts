import type { Comparison } from "./analysis.js";
import { claimMetric, type ClaimMetric } from "./claims.js";
import { cellIdentityShape, type CellIdentity } from "./identity.js";
import { array, nullable, number, object, oneOf, partial, string, type Check } from "./shape.js";
import { comparedTreatment } from "./treatment.js";

/** A promise about a way of consuming tokens, to be held against measurements. */
export interface Claim {
  readonly id: string;
  readonly metric: ClaimMetric;
  /** `control`, which is `generate` again, for a `difference` only. */
  readonly treatment: Comparison["treatment"];
  /**
   * The metric is below it: a fraction for `overhead`, µs per token for
   * `absoluteCost`; or, a fraction too, a `difference` is within ± it.
   */
  readonly limit: number;
  /** The cells it is made for: those that have all of these values. */
  readonly of: Partial<CellIdentity>;
}

/** The claims that a run is judged by, as they were read. */
export interface ClaimList {
  /** The file that ships with the bench, one that the user gave, or a program that gave the claims. */
  readonly source: "shipped" | "file" | "program";
  /** Name of the file, without its folder; null where a program gave them. */
  readonly file: string | null;
  /**
   * Of the claims as JSON without spaces, fields in the order of {@link Claim} and of
   * `identityFields`; in lower-case hexadecimal. Line ends and spaces of the file do not matter.
   */
  readonly sha256: string;
  readonly claims: readonly Claim[];
}

/** Checks a {@link ClaimList}. */
export const claimList: Check<ClaimList> = object({
  source: oneOf("shipped", "file", "program"),
  file: nullable(string),
  sha256: string,
  claims: array(
    object({
      id: string,
      metric: claimMetric,
      treatment: comparedTreatment,
      limit: number,
      of: object(partial(cellIdentityShape)),
    }),
  ),
});
