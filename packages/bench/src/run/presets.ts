import { invalidOption } from "@streamgauge/core";
import type { Look } from "../record/index.js";
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
}

function scenariosNamed(...names: string[]): Scenario[] {
  return catalogue.filter(({ name }) => names.includes(name));
}

/** What is asked when nobody chooses. */
const questions = ["model", "model-inline", "paced", "paced-inline", "main-thread", "memory"];

const presets: readonly Preset[] = [
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

/** What `streamgauge calibrate` measures; `bench` does not offer it. */
export const calibrationPreset: Preset = {
  name: "calibration",
  description: "known delays of 0 to 10 %, on the paced engine",
  size: "quick",
  lookAtProcesses: [1],
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
  const found = [...presets, endpointPreset].find((preset) => preset.name === name);
  if (found !== undefined) return found;
  throw invalidOption(`There is no preset "${name}". Presets: ${presetNames.join(", ")}.`);
}

/** The looks of a preset, with the levels that spend 5 % over all of them. */
export function looksOf({ lookAtProcesses }: Preset): readonly Look[] {
  const [only] = lookAtProcesses;
  if (only !== undefined && lookAtProcesses.length === 1) return [{ processes: only, tail: 0.05 }];
  return sequentialLooks({
    looks: lookAtProcesses,
    spending: "obrien-fleming",
    alpha: 0.05,
  }).map(({ samples, tail }) => ({ processes: samples, tail }));
}
