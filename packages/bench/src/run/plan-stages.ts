import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { measurementId } from "./execution.js";
import { findProfile, select, type Profile, type Selection } from "./presets.js";
import { withProfiles } from "../scenarios/profiled.js";
import type { Scenario, Stage } from "../plan/stage.js";

/** What a process measures, in words that cross to it. */
export interface StagesOrder {
  readonly profile: string | Profile;
  readonly selection: Selection;
  readonly profiles: readonly string[];
  /** File URLs. */
  readonly modules: readonly string[];
  readonly process: number;
  readonly leaveOut: readonly string[];
}

/**
 * The stages of one process: what is selected, less what is left out and what is
 * measured in fewer processes. Measurements that are no cells belong to the first.
 *
 * @throws StreamgaugeError `INVALID_OPTION`; `INVALID_SCENARIOS` for a module
 */
export async function planStages(
  order: StagesOrder,
  scenarios: readonly Scenario[] = [],
): Promise<readonly Stage[]> {
  const { selection, profiles, modules, process, leaveOut } = order;
  const profile = typeof order.profile === "string" ? findProfile(order.profile) : order.profile;
  const loaded = await Promise.all(modules.map(loadScenarios));
  const stages = withProfiles(
    select(profile, selection, [...scenarios, ...loaded.flat()]),
    profiles,
  );
  return stages
    .map((stage) => ({
      ...stage,
      cells: stage.cells.filter(
        ({ id, scenario }) =>
          !leaveOut.includes(id) && process < (profile.processesOf?.[scenario] ?? Infinity),
      ),
      measurements: stage.measurements.filter(
        (plan) => process === 0 && !leaveOut.includes(measurementId(stage, plan)),
      ),
    }))
    .filter(({ cells, measurements }) => cells.length > 0 || measurements.length > 0);
}

/** Every export of a module that is a scenario. */
async function loadScenarios(url: string): Promise<readonly Scenario[]> {
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    throw new StreamgaugeError("INVALID_SCENARIOS", `${url} does not load: ${messageOf(cause)}`, {
      cause,
    });
  }
  const scenarios = Object.values(module).flat().filter(isScenario);
  if (scenarios.length === 0) {
    throw new StreamgaugeError(
      "INVALID_SCENARIOS",
      `${url} exports no scenario: export what defineScenario() of @streamgauge/bench returns.`,
    );
  }
  return scenarios;
}

function isScenario(value: unknown): value is Scenario {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<Scenario>).name === "string" &&
    typeof (value as Partial<Scenario>).stages === "function"
  );
}
