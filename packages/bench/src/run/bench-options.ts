import { invalidOption } from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import type { EndpointOptions } from "../plan/endpoint-plan.js";
import type { OpenGenerator } from "../plan/generator-plan.js";
import { embeddedModelName } from "../plan/prompts.js";
import { isModelSize } from "../plan/random-model.js";
import type { Selection } from "../plan/selection.js";
import type { Scenario } from "../plan/stage.js";
import type { Claim, ClaimList, ResultRecord } from "../record/index.js";
import type { Elsewhere } from "./parts/elsewhere.js";
import type { Preset } from "./presets.js";
import type { BenchProgress } from "./progress.js";

/** What to run, where to put it, and who is told. */
export interface BenchOptions extends Omit<Selection, "scenarios"> {
  /**
   * A preset or the name of one. Default: "quick"; "one-process" where something is given that
   * cannot cross to other processes.
   */
  readonly preset?: string | Preset | undefined;
  /**
   * Names, or scenarios made by `defineScenario`. A preset of several processes
   * cannot take the latter: functions do not cross; see {@link modules}.
   */
  readonly scenarios?: readonly (string | Scenario)[] | null | undefined;
  /** File URLs of modules that export scenarios; they run unless others are named. */
  readonly modules?: readonly string[] | undefined;
  /** An endpoint to measure instead, in eight processes; with it no preset, scenarios, modules, tokens, model or profiles. */
  readonly endpoint?: EndpointOptions | undefined;
  /** An integer in [0, 2³² − 1]. Default: drawn, and kept in the record. */
  readonly seed?: number | undefined;
  /** Default: `results/local/<run id>` under the workspace's root. */
  readonly outputFolder?: string | undefined;
  /**
   * Folder of a run that was interrupted: what is whole in it stays, and the rest
   * is measured. Its plan and seed are used; give no others.
   */
  readonly resume?: string | undefined;
  /**
   * Claims, or a file of them as {@link readClaimList} reads it, whose name the record keeps.
   * Default: the shipped file; of a run that is resumed its own, and no others.
   */
  readonly claims?: readonly Claim[] | ClaimList | undefined;
  /**
   * Longest wait, in seconds, until other work on the machine has died down: that of a build, for
   * instance. Default 0.
   */
  readonly waitSeconds?: number | undefined;
  /** Ends the run between two generations; what is done is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /**
   * Other machines, which measure instead of this one: every process of the run, with as many blocks
   * as are planned. It needs a preset that is a name, and neither an endpoint nor a model of a folder or hub.
   */
  readonly elsewhere?: Elsewhere | undefined;
  /** Makes the generators; in one process only. Default: the runtime's. */
  readonly openGenerator?: OpenGenerator | undefined;
  /** In one process only. */
  readonly clock?: Clock | undefined;
}

/** A finished run. */
export interface BenchOutcome {
  readonly record: ResultRecord;
  /** The record's file. */
  readonly path: string;
}

/**
 * What chooses between scenarios has no meaning for an endpoint.
 *
 * @throws StreamgaugeError `INVALID_OPTION` naming what is to be left out
 */
export function requireEndpointAlone(options: BenchOptions): void {
  if (options.endpoint === undefined) return;
  const given = Object.entries({
    preset: options.preset,
    scenarios: options.scenarios ?? undefined,
    modules: options.modules?.length === 0 ? undefined : options.modules,
    tokens: options.tokens ?? undefined,
    model: options.model ?? undefined,
    dtype: options.dtype,
    profiles: options.profiles?.length === 0 ? undefined : options.profiles,
    openGenerator: options.openGenerator,
    clock: options.clock,
  }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  throw invalidOption(
    `An endpoint is measured alone: leave out ${given.map(([name]) => name).join(", ")}.`,
  );
}

/** The scenarios that were given as objects. */
export function ownScenarios({ scenarios }: BenchOptions): readonly Scenario[] {
  return (scenarios ?? []).filter((scenario) => typeof scenario !== "string");
}

/** The preset of a run for which none was chosen. */
export function defaultPreset(options: BenchOptions): string {
  return thingsThatCannotCross(options).length > 0 ? "one-process" : "quick";
}

/** @throws StreamgaugeError `INVALID_OPTION` for a number that cannot be a seed */
export function requireSeed(seed: number): number {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw invalidOption(`The seed is ${seed}; it must be an integer from 0 to ${2 ** 32 - 1}.`);
}

/**
 * Functions do not cross to other processes.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a preset of several processes, where
 *   something is given that cannot cross
 */
export function requireWhatCrosses(preset: Preset, options: BenchOptions): void {
  if (options.elsewhere !== undefined) return requireWhatCrossesMachines(options);
  if (preset.lookAtProcesses.length === 1 && preset.lookAtProcesses[0] === 1) return;
  const given = thingsThatCannotCross(options);
  if (given.length === 0) return;
  throw invalidOption(
    `The preset "${preset.name}" measures in several processes, to which ` +
      `${given.join(" and ")} cannot cross: export scenarios from a module ` +
      `and give its URL in "modules", or choose the preset "one-process".`,
  );
}

/**
 * What is of this machine alone, beside functions: addresses, keys and folders.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a run on other machines that would need any of it
 */
export function requireWhatCrossesMachines(options: BenchOptions): void {
  const { model = null } = options;
  const given = [
    ...thingsThatCannotCross(options),
    ...(options.endpoint === undefined ? [] : ["an endpoint"]),
    ...(model === null || model === embeddedModelName || isModelSize(model)
      ? []
      : ["a model that is not built in"]),
    ...(options.dtype === undefined ? [] : ["a dtype"]),
  ];
  if (given.length === 0) return;
  throw invalidOption(
    `Other machines measure this run, to which ${given.join(" and ")} cannot cross: they measure ` +
      `only what is installed on them.`,
  );
}

function thingsThatCannotCross(options: BenchOptions): string[] {
  const given = {
    "scenarios that are objects": ownScenarios(options).length > 0,
    "a preset that is an object": typeof options.preset === "object",
    openGenerator: options.openGenerator !== undefined,
    clock: options.clock !== undefined,
  };
  return Object.entries(given).flatMap(([what, isGiven]) => (isGiven ? [what] : []));
}
