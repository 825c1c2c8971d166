import { fileURLToPath } from "node:url";
import { invalidOption, type Generator } from "@streamgauge/core";
import { loadScenarios } from "../run/plan-stages.js";
import type { GateWork } from "./gate-work.js";

/** A version's own generator, and what it is asked for. */
export interface OwnSide {
  readonly generator: Generator & { close(): Promise<void> };
  readonly work: GateWork;
}

/**
 * Opens the generator of a scenario that a version's module exports. This process works in the
 * version's folder from then on, so that what the module reads is the version's too.
 *
 * @param url of the module
 * @throws StreamgaugeError `INVALID_SCENARIOS` for a module that does not load; `INVALID_OPTION`
 *   where it has no such scenario, or one that is not over a generator of its own
 */
export async function openOwn(url: string, work: GateWork): Promise<OwnSide> {
  const { module = "", scenario: name } = work.own ?? {};
  process.chdir(fileURLToPath(url).slice(0, -module.length));
  const scenarios = await loadScenarios(url);
  const names = scenarios.map((each) => each.name).join(", ");
  const [scenario] = scenarios.filter((each) => name === undefined || each.name === name);
  if (scenario === undefined) {
    throw invalidOption(`${module} has no scenario "${name}". It has ${names}.`);
  }
  if (name === undefined && scenarios.length > 1) {
    throw invalidOption(`${module} has several scenarios: name one of ${names} with --scenario.`);
  }
  const [stage] = scenario.stages("quick");
  if (stage?.open === undefined) {
    throw invalidOption(
      `The scenario "${scenario.name}" opens no generator of its own: make it with defineScenario().`,
    );
  }
  const config = stage.cells[0]?.config;
  return {
    generator: await stage.open(stage.generator),
    work: { ...work, prompt: stage.prompt, ...(config !== undefined && { config }) },
  };
}
