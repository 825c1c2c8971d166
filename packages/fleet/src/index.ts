/**
 * Runs the bench and the load on many machines, over Redis and BullMQ. `streamgauge bench --fleet`,
 * `streamgauge load --fleet`, `streamgauge agent` and `streamgauge fleet` are its commands; `streamgauge`
 * loads it when it is installed beside `@streamgauge/bench`.
 *
 * @module
 */
export type { AgentEndpoint } from "./agent/agent-endpoint.js";
export { runAgent, type AgentEvent, type AgentOptions } from "./agent/run-agent.js";
export type { AgentTimings } from "./agent/timings.js";
export { agentCommand } from "./commands/agent-command.js";
export { fleetCommand } from "./commands/fleet-command.js";
export { benchOnFleet, coordinate, type CoordinatorOptions } from "./coordinator/bench-on-fleet.js";
export { loadOnFleet, offerLoad, type LoadFleetTarget } from "./coordinator/load-on-fleet.js";
export type { CoordinatorTimings } from "./coordinator/timings.js";
export type { FleetErrorCodes } from "./error-codes.js";
