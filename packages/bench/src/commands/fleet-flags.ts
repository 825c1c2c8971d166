import { invalidOption } from "@streamgauge/core";
import { Option, type Command } from "commander";
import type { FleetTarget } from "../run/parts/index.js";
import { parseCount } from "./option-values.js";

/** Where the address is when it is not given: a password in it is shown to nobody. */
const redisVariable = "STREAMGAUGE_REDIS";

/** What `bench` is told of other machines. */
export interface FleetFlags {
  readonly fleet?: string | true;
  readonly fleetPrefix?: string;
  readonly agents?: number;
  readonly ifLost?: "wait" | "go-on";
}

/** Adds them to the command. */
export function addFleetFlags(command: Command): Command {
  return command
    .option(
      "--fleet [redis]",
      `measure on the agents at this Redis, as redis://host:6379 (default: $${redisVariable})`,
    )
    .option("--fleet-prefix <text>", "what its keys begin with (default: streamgauge)")
    .option("--agents <count>", "agents to wait for before it begins (default: 1)", parseCount)
    .addOption(
      new Option(
        "--if-lost <what>",
        "when the last agent of a class is gone: wait for another (default), or go on without",
      ).choices(["wait", "go-on"]),
    );
}

/**
 * The fleet that the flags name; undefined without `--fleet`.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for flags without it, and for no address
 */
export function fleetOf(flags: FleetFlags): FleetTarget | undefined {
  const { fleet, fleetPrefix: prefix, agents, ifLost } = flags;
  if (fleet === undefined) {
    const given = Object.entries({
      "--fleet-prefix": prefix,
      "--agents": agents,
      "--if-lost": ifLost,
    });
    const names = given.filter(([, value]) => value !== undefined).map(([name]) => name);
    if (names.length === 0) return undefined;
    throw invalidOption(`${names.join(", ")} is about other machines: give --fleet too.`);
  }
  const redis = fleet === true ? process.env[redisVariable] : fleet;
  if (redis === undefined || redis === "") {
    throw invalidOption(
      `--fleet needs the address of a Redis server, as redis://host:6379, or ${redisVariable} with ` +
        `it in the environment.`,
    );
  }
  return { redis, prefix, agents, ifLost };
}
