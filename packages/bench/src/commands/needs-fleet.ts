import { messageOf, StreamgaugeError } from "@streamgauge/core";
import type { Command } from "commander";
import type { LoadOnFleet } from "../load/load-on-fleet.js";
import type { BenchOnFleet } from "../run/parts/index.js";

/** What the commands take from `@streamgauge/fleet`. */
export interface FleetModule {
  readonly benchOnFleet: BenchOnFleet;
  readonly loadOnFleet: LoadOnFleet;
  agentCommand(): Command;
  fleetCommand(): Command;
}

const packageName = "@streamgauge/fleet";

/** In this workspace it is beside this package, and nothing of ours depends on it. */
const besideThisPackage: string = new URL("../../../fleet/dist/index.js", import.meta.url).href;

/**
 * Loads `@streamgauge/fleet`, which nobody needs who measures one machine.
 *
 * @throws StreamgaugeError `FLEET_MISSING` where it is not installed; what it throws
 */
export async function needsFleet(): Promise<FleetModule> {
  try {
    return (await import(packageName)) as FleetModule;
  } catch (cause) {
    if (!isMissing(cause, /'@streamgauge\/fleet'/)) throw cause;
    return await loadBeside(cause);
  }
}

async function loadBeside(notInstalled: unknown): Promise<FleetModule> {
  try {
    return (await import(besideThisPackage)) as FleetModule;
  } catch (cause) {
    if (!isMissing(cause, /fleet[\\/]dist[\\/]index\.js'/)) throw cause;
    throw new StreamgaugeError(
      "FLEET_MISSING",
      `Measuring on many machines needs ${packageName}, which is not installed. Run "npm install ` +
        `${packageName}" beside @streamgauge/bench, here and on every machine that is to measure. ` +
        `One machine needs neither it nor Redis: leave --fleet out.`,
      { cause: notInstalled },
    );
  }
}

/** A module that the package itself lacks is an error of another kind. */
function isMissing(error: unknown, name: RegExp): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_MODULE_NOT_FOUND" && name.test(messageOf(error));
}
