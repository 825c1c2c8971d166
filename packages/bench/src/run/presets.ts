import { invalidOption } from "@streamgauge/core";
import type { Look } from "../record/index.js";
import { didYouMean } from "../plan/did-you-mean.js";
import { catalogue } from "../scenarios/catalogue.js";
import type { Scenario, Size } from "../plan/stage.js";
import { calibration } from "../scenarios/calibration.js";
import { endpointProcesses } from "../scenarios/endpoint.js";
import { sequentialLooks } from "../statistics/index.js";

/** How thoroughly to measure, and what, unless somebody chooses. */
export interface Preset {
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
  /**
   * Seconds for the whole run, its start and end included: cells that say in which range get their
   * blocks by what they need. Needs a single look, the one that the time is planned for.
   */
  readonly budgetSeconds?: number;
}

function scenariosNamed(...names: string[]): Scenario[] {
  return catalogue.filter(({ name }) => names.includes(name));
}

/** What is asked of a thorough run when nobody chooses. */
const questions = ["model", "model-inline", "paced", "paced-inline", "main-thread", "memory"];

/** Most processes for every scenario but some. */
function others(processes: number, ...but: string[]): Record<string, number> {
  return Object.fromEntries(
    catalogue.filter(({ name }) => !but.includes(name)).map(({ name }) => [name, processes]),
  );
}

const presets: readonly Preset[] = [
  {
    name: "quick",
    description: "the claims on the embedded model, in 8 fresh processes and under five minutes",
    size: "quick",
    // A second look would cost the first one its level, and there is no time for one.
    lookAtProcesses: [8],
    scenarios: scenariosNamed("model"),
    processesOf: others(1, "model", "every-token", "model-inline", "paced", "paced-inline"),
    budgetSeconds: 255,
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
      "every scenario but engine: model and paced in 10 to 20 fresh processes, the rest in 6 or 8; under an hour",
    size: "full",
    lookAtProcesses: [10, 15, 20],
    // The engine takes half an hour of its own, and is a record of its own.
    scenarios: catalogue.filter(({ name }) => name !== "engine"),
    // No claim is about them; fewer than six differing processes have no interval.
    processesOf: {
      ...others(6, "model", "paced"),
      "every-token": 8,
      "model-inline": 8,
      "paced-inline": 8,
    },
  },
  {
    name: "one-process",
    description:
      "the questions of standard in the bench's own process, where it can call your functions: to try things out",
    size: "standard",
    lookAtProcesses: [1],
    scenarios: scenariosNamed(...questions),
  },
];

/** What `streamgauge calibrate` measures; `bench` does not offer it. */
export const calibrationPreset: Preset = {
  name: "calibration",
  description: "known delays of 0 to 10 %, on the paced engine",
  size: "quick",
  lookAtProcesses: [8],
  scenarios: [calibration],
};

/** How an endpoint is measured; `bench` takes it where there is a URL. */
const endpointPreset: Preset = {
  name: "endpoint",
  description: "an endpoint, in eight short processes",
  size: "standard",
  lookAtProcesses: [endpointProcesses],
  scenarios: [],
};

/** Names of the presets. */
export const presetNames: readonly string[] = presets.map(({ name }) => name);

/** A line for each preset, and one for each scenario that ships. */
export function describeChoices(): { readonly presets: string[]; readonly scenarios: string[] } {
  const line = ({ name, description }: Preset | Scenario): string =>
    `${name.padEnd(14)}${description}`;
  return { presets: presets.map(line), scenarios: catalogue.map(line) };
}

/** @throws StreamgaugeError `INVALID_OPTION` for a name that no preset has */
export function findPreset(name: string): Preset {
  // A process that measures knows its preset by name only.
  const found = [...presets, calibrationPreset, endpointPreset].find(
    (preset) => preset.name === name,
  );
  if (found !== undefined) return found;
  throw invalidOption(
    `There is no preset "${name}".${didYouMean(name, presetNames)} Presets: ${presetNames.join(", ")}.`,
  );
}

/** The looks of a preset, with the levels that spend 5 % over all of them. */
export function looksOf({ lookAtProcesses }: Pick<Preset, "lookAtProcesses">): readonly Look[] {
  const [only] = lookAtProcesses;
  if (only !== undefined && lookAtProcesses.length === 1) return [{ processes: only, tail: 0.05 }];
  return sequentialLooks({
    looks: lookAtProcesses,
    spending: "obrien-fleming",
    alpha: 0.05,
  }).map(({ samples, tail }) => ({ processes: samples, tail }));
}
