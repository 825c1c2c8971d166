import { basename, resolve } from "node:path";
import { invalidOption } from "@streamgauge/core";
import { expectedBlocksSeconds, expectedWarmUpSeconds } from "./expected-time.js";
import type { Look } from "../record/index.js";
import { catalogue } from "../scenarios/catalogue.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import { embeddedModelName, promptFor } from "../plan/prompts.js";
import { isModelSize } from "../plan/random-model.js";
import type { CellPlan, Scenario, Size, Stage } from "../plan/stage.js";
import { sequentialLooks } from "../statistics/index.js";

/** How thoroughly to measure, and what, unless somebody chooses. */
export interface Profile {
  readonly name: string;
  /** One line for `--help`. */
  readonly description: string;
  readonly size: Size;
  /**
   * Fresh processes that are done when verdicts are looked for, ascending. The
   * last is the most there will be; only undecided cells go on after a look.
   */
  readonly lookAtProcesses: readonly number[];
  /** What is measured when nobody chooses. */
  readonly scenarios: readonly Scenario[];
  /** Most fresh processes that measure a scenario, by its name; those of others: as many as there are. */
  readonly processesOf?: Readonly<Record<string, number>>;
}

/** Which part of a profile to run. Everything that is left out is not restricted. */
export interface Selection {
  /** Names of any scenarios that ship or are in a module. */
  readonly scenarios?: readonly string[] | undefined;
  readonly tokens?: readonly number[] | undefined;
  /** Blocks of each cell and process, instead of the scenarios' own numbers. */
  readonly blocks?: number | undefined;
  /** Instead of the embedded model: a size with random weights, or a model folder. */
  readonly model?: string | undefined;
  /** For the whole run: cells get fewer blocks where it would take longer. */
  readonly timeBudgetMinutes?: number | undefined;
}

function scenariosNamed(...names: string[]): Scenario[] {
  return catalogue.filter(({ name }) => names.includes(name));
}

/** What is asked when nobody chooses. */
const questions = ["model", "model-inline", "paced", "paced-inline", "main-thread", "memory"];

const profiles: readonly Profile[] = [
  {
    name: "quick",
    description: "the shipped claims, in one process and under five minutes",
    size: "quick",
    lookAtProcesses: [1],
    scenarios: scenariosNamed(...questions),
  },
  {
    name: "standard",
    description:
      "the claims in 8 fresh processes, up to 16 where they stay undecided; 10 to 25 minutes",
    size: "standard",
    lookAtProcesses: [8, 12, 16],
    scenarios: scenariosNamed(...questions),
  },
  {
    name: "full",
    description:
      "every scenario: those of standard in 10 fresh processes, up to 20, the rest in 6; two hours",
    size: "full",
    lookAtProcesses: [10, 15, 20],
    scenarios: catalogue,
    // No claim is about them; fewer than six differing processes have no interval.
    processesOf: Object.fromEntries(
      catalogue.filter(({ name }) => !questions.includes(name)).map(({ name }) => [name, 6]),
    ),
  },
];

/** Names of the profiles. */
export const profileNames: readonly string[] = profiles.map(({ name }) => name);

/** A line for each profile, and one for each scenario that ships. */
export function describeChoices(): { readonly profiles: string[]; readonly scenarios: string[] } {
  const line = ({ name, description }: Profile | Scenario): string =>
    `${name.padEnd(14)}${description}`;
  return { profiles: profiles.map(line), scenarios: catalogue.map(line) };
}

/** @throws StreamgaugeError `INVALID_OPTION` for a name that no profile has */
export function findProfile(name: string): Profile {
  const found = profiles.find((profile) => profile.name === name);
  if (found === undefined) {
    throw invalidOption(`There is no profile "${name}". Profiles: ${profileNames.join(", ")}.`);
  }
  return found;
}

/** The looks of a profile, with the levels that spend 5 % over all of them. */
export function looksOf({ lookAtProcesses }: Profile): readonly Look[] {
  const [only] = lookAtProcesses;
  if (only !== undefined && lookAtProcesses.length === 1) return [{ processes: only, tail: 0.05 }];
  return sequentialLooks({
    looks: lookAtProcesses,
    spending: "obrien-fleming",
    alpha: 0.05,
  }).map(({ samples, tail }) => ({ processes: samples, tail }));
}

/**
 * What a selection leaves of a profile, generator by generator.
 *
 * @param others scenarios that can be chosen beside those that ship
 * @throws StreamgaugeError `INVALID_OPTION` for an unknown scenario, a wrong
 *   number, or a selection with nothing in it
 */
export function select(
  profile: Profile,
  selection: Selection,
  others: readonly Scenario[] = [],
): readonly Stage[] {
  const { tokens, blocks, model, timeBudgetMinutes } = selection;
  if (blocks !== undefined && !(Number.isInteger(blocks) && blocks >= 1)) {
    throw invalidOption(`The number of blocks is ${blocks}; it must be an integer ≥ 1.`);
  }
  if (timeBudgetMinutes !== undefined && !(timeBudgetMinutes > 0)) {
    throw invalidOption(
      `The time budget is ${timeBudgetMinutes} minutes; it must be a number > 0.`,
    );
  }
  const all = chosenScenarios(profile, selection, others).flatMap(({ stages }) =>
    stages(profile.size),
  );
  const counts = new Set(all.flatMap(({ cells }) => cells.map((cell) => cell.tokens)));
  for (const count of tokens ?? []) {
    if (!counts.has(count)) {
      throw invalidOption(
        `Nothing that is chosen has ${count} tokens. There are cells of ` +
          `${[...counts].toSorted((first, second) => first - second).join(", ")}.`,
      );
    }
  }
  const stages = all
    .map((stage) => (model === undefined ? stage : withModel(stage, model)))
    .map((stage) => ({
      ...stage,
      cells: stage.cells
        .filter((cell) => tokens?.includes(cell.tokens) ?? true)
        .map((cell) => (blocks === undefined ? cell : { ...cell, blocks })),
    }))
    .filter(({ cells, measurements }) => cells.length > 0 || measurements.length > 0);
  if (stages.length === 0) {
    throw invalidOption("Nothing is left to run: choose other scenarios or token counts.");
  }
  const merged = mergeByGenerator(stages);
  return timeBudgetMinutes === undefined
    ? merged
    : fitInto(timeBudgetMinutes * 60, merged, profile);
}

function chosenScenarios(
  profile: Profile,
  { scenarios }: Selection,
  others: readonly Scenario[],
): readonly Scenario[] {
  const candidates = [...others, ...profile.scenarios, ...catalogue];
  // Whoever gives a scenario the name of another means their own.
  const known = candidates.filter(
    ({ name }, index) => candidates.findIndex((other) => other.name === name) === index,
  );
  // A module is given to be measured: it is what runs unless more is asked for.
  if (scenarios === undefined) return others.length > 0 ? others : profile.scenarios;
  for (const name of scenarios) {
    if (!known.some((scenario) => scenario.name === name)) {
      const names = known.map((scenario) => scenario.name).join(", ");
      throw invalidOption(`There is no scenario "${name}". Scenarios: ${names}.`);
    }
  }
  return known.filter(({ name }) => scenarios.includes(name));
}

/** The embedded model is what is replaced; a stage without it stays. */
function withModel(stage: Stage, model: string): Stage {
  const { generator } = stage;
  if (generator.model !== embeddedModelName) return stage;
  const isName = model === embeddedModelName || isModelSize(model);
  // The name of a folder, not its path: records are shown to others.
  const name = isName ? model : basename(resolve(model)).replaceAll(/[^\w.-]+/g, "-");
  const rename = (id: string): string => id.replace(embeddedModelName, name);
  const changed: GeneratorPlan = {
    ...generator,
    model: name,
    ...(!isName && { modelFolder: model }),
    id: rename(generator.id),
  };
  return {
    ...stage,
    generator: changed,
    prompt: promptFor(changed),
    cells: stage.cells.map((cell) => ({
      ...cell,
      model: name,
      id: rename(cell.id),
      generator: changed.id,
    })),
  };
}

/** One generator is made once, whatever scenarios measure on it. */
function mergeByGenerator(stages: readonly Stage[]): Stage[] {
  const merged = new Map<string, Stage>();
  for (const stage of stages) {
    const before = merged.get(stage.generator.id);
    merged.set(
      stage.generator.id,
      before === undefined
        ? stage
        : {
            ...before,
            cells: [...before.cells, ...stage.cells],
            measurements: [
              ...before.measurements,
              // Two scenarios can want the same thing.
              ...stage.measurements.filter(
                ({ id }) => !before.measurements.some((known) => known.id === id),
              ),
            ],
          },
    );
  }
  return [...merged.values()];
}

/** Fresh processes that measure a cell by the first look. */
function processesOf({ scenario }: CellPlan, profile: Profile): number {
  const [first = 1] = profile.lookAtProcesses;
  return Math.min(first, profile.processesOf?.[scenario] ?? Infinity);
}

/**
 * Fewer blocks and shorter budgets of the cells, in proportion, until the whole is
 * expected to fit up to the first look. Warm-ups, and measurements that are no cells,
 * stay as they are. Cells end at their budgets, so that a slow machine does not take
 * longer.
 */
function fitInto(budgetSeconds: number, stages: readonly Stage[], profile: Profile): Stage[] {
  let fixedSeconds = 0;
  let scalableSeconds = 0;
  for (const { cells, measurements } of stages) {
    for (const cell of cells) {
      const processes = processesOf(cell, profile);
      fixedSeconds += processes * expectedWarmUpSeconds(cell);
      scalableSeconds += processes * expectedBlocksSeconds(cell);
    }
    for (const { expectedSeconds } of measurements) fixedSeconds += expectedSeconds;
  }
  const factor = Math.max(0, budgetSeconds - fixedSeconds) / scalableSeconds;
  if (factor >= 1) return [...stages];
  return stages.map((stage) => ({
    ...stage,
    cells: stage.cells.map((cell) => {
      const fewest = fewestBlocks(processesOf(cell, profile));
      return {
        ...cell,
        blocks: Math.min(cell.blocks, Math.max(fewest, Math.round((cell.blocks * factor) / 4) * 4)),
        timeBudgetSeconds: Math.max(
          expectedBlocksSeconds(cell) * factor,
          fewest * cell.expectedBlockSeconds,
        ),
      };
    }),
  }));
}

/** Fewest blocks that a budget leaves of a cell in a process: two balanced squares, or one in each of several. */
function fewestBlocks(processes: number): number {
  return processes > 1 ? 4 : 8;
}
