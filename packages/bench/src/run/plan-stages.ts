import { invalidOption, StreamgaugeError, messageOf } from "@streamgauge/core";
import { measurementId } from "./execution.js";
import { findPreset, type Preset } from "./presets.js";
import { fitInto } from "./time-budget.js";
import { didYouMean } from "../plan/did-you-mean.js";
import type { EndpointPlan } from "../plan/endpoint-plan.js";
import { narrow, type FoundSelection } from "../plan/selection.js";
import type { CellPlan, Scenario, Stage } from "../plan/stage.js";
import { catalogue } from "../scenarios/catalogue.js";
import { endpointScenario } from "../scenarios/endpoint.js";
import { withProfiles } from "../scenarios/profiled.js";

/** What a process measures, in words that cross to it where the preset is a name. */
export interface StagesOrder extends FoundSelection {
  readonly preset: string | Preset;
  /** File URLs of modules with scenarios. */
  readonly modules: readonly string[];
  /** Measured instead of scenarios. */
  readonly endpoint?: EndpointPlan | undefined;
  /** Which of the run's processes this is, from 0. */
  readonly process: number;
  /** Ids of the cells and measurements that are done, or were decided. */
  readonly leaveOut: readonly string[];
  /** Blocks of cells, by id, that the run chose by what it has measured; see `shareOut`. */
  readonly allotted?: Readonly<Record<string, number>>;
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
  const { profiles, modules, endpoint, process, leaveOut, allotted = {} } = order;
  const preset = typeof order.preset === "string" ? findPreset(order.preset) : order.preset;
  const loaded = await Promise.all(modules.map(loadScenarios));
  const stages = withProfiles(
    select(preset, order, [
      ...scenarios,
      ...loaded.flat(),
      ...(endpoint === undefined ? [] : [endpointScenario(endpoint)]),
    ]),
    profiles ?? [],
  );
  return stages
    .map((stage) => ({
      ...stage,
      cells: stage.cells
        .filter(
          ({ id, scenario, against }) =>
            // Both of a pair are measured again unless both are done.
            !(leaveOut.includes(id) && leaveOut.includes(against ?? id)) &&
            process < (preset.processesOf?.[scenario] ?? Infinity),
        )
        .map((cell) => withBlocks(cell, allotted[cell.id])),
      measurements: stage.measurements.filter(
        (plan) => process === 0 && !leaveOut.includes(measurementId(stage, plan)),
      ),
    }))
    .filter(({ cells, measurements }) => cells.length > 0 || measurements.length > 0);
}

/** Time in proportion: the budget is against a machine that is slow, not against the blocks. */
function withBlocks(cell: CellPlan, blocks: number | undefined): CellPlan {
  if (blocks === undefined) return cell;
  const growth = Math.max(1, blocks / cell.blocks);
  return { ...cell, blocks, timeBudgetSeconds: growth * cell.timeBudgetSeconds };
}

/**
 * What a selection leaves of a preset, generator by generator; profiles are not added.
 *
 * @param others scenarios that can be chosen beside those that ship
 * @throws StreamgaugeError `INVALID_OPTION` for an unknown scenario, a wrong
 *   number, or a selection with nothing in it
 */
export function select(
  preset: Preset,
  selection: FoundSelection,
  others: readonly Scenario[] = [],
): readonly Stage[] {
  const { timeBudgetMinutes = null } = selection;
  const scenarios = chosenScenarios(preset, selection, others);
  const stages = narrow(
    scenarios.flatMap((scenario) => scenario.stages(preset.size)),
    selection,
  );
  return timeBudgetMinutes === null ? stages : fitInto(timeBudgetMinutes, stages, preset);
}

function chosenScenarios(
  preset: Preset,
  { scenarios = null }: FoundSelection,
  others: readonly Scenario[],
): readonly Scenario[] {
  const candidates = [...others, ...preset.scenarios, ...catalogue];
  // Whoever gives a scenario the name of another means their own.
  const known = candidates.filter(
    ({ name }, index) => candidates.findIndex((other) => other.name === name) === index,
  );
  // A module is given to be measured: it is what runs unless more is asked for.
  if (scenarios === null) return others.length > 0 ? others : preset.scenarios;
  for (const name of scenarios) {
    if (!known.some((scenario) => scenario.name === name)) {
      const names = known.map((scenario) => scenario.name);
      throw invalidOption(
        `There is no scenario "${name}".${didYouMean(name, names)} Scenarios: ${names.join(", ")}.`,
      );
    }
  }
  return known.filter(({ name }) => scenarios.includes(name));
}

/**
 * Every export of a module that is a scenario.
 *
 * @param url of its file
 * @throws StreamgaugeError `INVALID_SCENARIOS` where it does not load, or has none
 */
export async function loadScenarios(url: string): Promise<readonly Scenario[]> {
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
