import type { EngineClaim } from "./engine.js";
import type { MeasurementPromise } from "./run-plan.js";
import type { TransportClaim } from "./transport.js";

/** What a claim about transports or the engine promises, as a plan keeps it. */
export function promiseOf(
  claim:
    | Pick<TransportClaim, "transport" | "against" | "control" | "limit">
    | Pick<EngineClaim, "contender" | "against" | "control" | "limit">,
): MeasurementPromise {
  const { against, control, limit } = claim;
  return { of: "transport" in claim ? claim.transport : claim.contender, against, control, limit };
}
