import type { ClaimResult } from "./claims.js";
import type { EngineMeasurement } from "./engine.js";
import type { TransportMeasurement } from "./transport.js";
import type { Verdict } from "./verdict.js";

/** What every claim says, whatever it is about. */
export interface JudgedClaim {
  readonly limit: number;
  readonly verdict: Verdict;
  /** Why, in sentences. */
  readonly reasons: readonly string[];
}

/** All claims of a record: about its cells, then its transports, then the engine. */
export function claimsOf(record: {
  readonly claims: readonly JudgedClaim[];
  readonly transports?: readonly Pick<TransportMeasurement, "claims">[];
  readonly engine?: readonly Pick<EngineMeasurement, "claims">[];
}): readonly JudgedClaim[] {
  const { claims, transports = [], engine = [] } = record;
  return [...claims, ...[...transports, ...engine].flatMap((measured) => [...measured.claims])];
}

/**
 * The claims less those that are covered: of several with one metric about one mode of a cell, the
 * widest limit is what is promised first, and decided first.
 */
export function widestClaims(claims: readonly ClaimResult[]): readonly ClaimResult[] {
  return claims.filter((claim) =>
    claims.every(
      ({ cell, treatment, metric, limit }) =>
        cell !== claim.cell ||
        treatment !== claim.treatment ||
        metric !== claim.metric ||
        limit <= claim.limit,
    ),
  );
}

/** {@link widestClaims} in the record's order; then the others, those that promise the same together. */
export function widestFirst(claims: readonly ClaimResult[]): readonly ClaimResult[] {
  const widest = widestClaims(claims);
  const others = claims.filter((claim) => !widest.includes(claim));
  const order = [...new Set(others.map(promiseKey))];
  return [
    ...widest,
    ...others.toSorted(
      (first, second) => order.indexOf(promiseKey(first)) - order.indexOf(promiseKey(second)),
    ),
  ];
}

/** What a claim promises, wherever. */
export function promiseKey({ metric, treatment, limit }: ClaimResult): string {
  return JSON.stringify([metric, treatment, limit]);
}
