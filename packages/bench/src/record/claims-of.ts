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
