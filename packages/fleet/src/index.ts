/**
 * Runs the bench on many machines, over Redis and BullMQ. `streamgauge bench --fleet`, `streamgauge agent`
 * and `streamgauge fleet` are its commands; the first loads it when it is installed beside
 * `@streamgauge/bench`.
 *
 * @module
 */
export { runAgent, type AgentEvent, type AgentOptions } from "./agent/run-agent.js";
export type { AgentTimings } from "./agent/timings.js";
export { agentCommand } from "./commands/agent-command.js";
export { fleetCommand } from "./commands/fleet-command.js";
export { benchOnFleet, coordinate, type CoordinatorOptions } from "./coordinator/bench-on-fleet.js";
export type { CoordinatorTimings } from "./coordinator/timings.js";
export type { FleetErrorCodes } from "./error-codes.js";
