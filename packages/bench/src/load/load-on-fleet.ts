import type { FleetTarget } from "../run/parts/fleet-contract.js";
import type { LoadOptions, LoadOutcome } from "./run-load.js";

/**
 * Offers a load from the agents of a fleet; what `@streamgauge/fleet` gives the command. See
 * `fleet-contract.ts` for why it stands here.
 */
export type LoadOnFleet = (
  options: Omit<LoadOptions, "openOfferer">,
  fleet: FleetTarget,
) => Promise<LoadOutcome>;
