import { invalidOption } from "@streamgauge/core";
import { listClaims, readClaimList } from "../conclude/claim-list.js";
import type { RawBlock } from "../measure/raw-samples.js";
import { systemClock, type Clock } from "../plan/clock.js";
import {
  planEndpoint,
  recordEndpoint,
  resumeEndpoint,
  type EndpointPlan,
} from "../plan/endpoint-plan.js";
import { findChosenModel, type ChosenModel } from "../plan/chosen-model.js";
import { recordSelection, type Selection } from "../plan/selection.js";
import type { Scenario, Stage } from "../plan/stage.js";
import { tryEndpoint } from "../scenarios/open-endpoint.js";
import { definitions } from "../record/definitions.js";
import {
  recordSchema,
  recordVersion,
  type Claim,
  type ClaimList,
  type ResultRecord,
  type RunPlan,
} from "../record/index.js";
import {
  defaultPreset,
  ownScenarios,
  requireEndpointAlone,
  requireSeed,
  requireWhatCrosses,
  type BenchOptions,
} from "./bench-options.js";
import { waitUntilQuiet } from "./busyness.js";
import { watchEnvironment, watchNothing, type EnvironmentWatch } from "./environment.js";
import { measureInstrument } from "./instrument.js";
import { Journal } from "./journal.js";
import { planStages, type StagesOrder } from "./plan-stages.js";
import { plannedOf } from "./planned.js";
import { whileWaiting } from "./progress.js";
import { findPreset, looksOf, type Preset } from "./presets.js";
import { RecordFile, defaultOutputFolder } from "./record-file.js";
import { readRunToResume, requireSameMachine } from "./resume.js";

/** A run that is ready to measure. */
export interface Run {
  readonly journal: Journal;
  /** What each of its processes is asked for, less what is done by then. */
  readonly order: Omit<StagesOrder, "process" | "leaveOut">;
  /** Scenarios that are objects, beside those that the order names. */
  readonly scenarios: readonly Scenario[];
  readonly looks: RunPlan["looks"];
  /** Seconds for all of it, where cells get blocks by what they need. */
  readonly budgetSeconds: number | undefined;
  readonly claims: readonly Claim[];
  readonly seed: number;
  readonly clock: Clock;
}

/**
 * Begins a run, or goes on with one that was interrupted.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for options that select nothing known, for
 *   what cannot cross to other processes, and for a run that cannot be resumed
 */
export async function openRun(options: BenchOptions): Promise<Run> {
  return await (options.resume === undefined ? begin(options) : resume(options, options.resume));
}

/** Waits for other work to end first, where the options say so. */
async function watchMachine(options: BenchOptions): Promise<EnvironmentWatch> {
  const { waitSeconds = 0, signal, onProgress = () => undefined, elsewhere } = options;
  // Who measures watches its own machine, part by part.
  if (elsewhere !== undefined) return watchNothing(elsewhere.environment);
  await waitUntilQuiet(waitSeconds, (waiting) => onProgress(whileWaiting(waiting)), signal);
  return await watchEnvironment();
}

async function begin(options: BenchOptions): Promise<Run> {
  requireEndpointAlone(options);
  const endpoint = options.endpoint && planEndpoint(options.endpoint);
  const usual = endpoint === undefined ? defaultPreset(options) : "endpoint";
  const { preset: chosen = usual, scenarios, ...rest } = options;
  const preset = typeof chosen === "string" ? findPreset(chosen) : chosen;
  requireWhatCrosses(preset, options);
  const seed = requireSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  const names = scenarios?.map((scenario) =>
    typeof scenario === "string" ? scenario : scenario.name,
  );
  const selection = recordSelection({ ...rest, scenarios: names });
  const model = await findChosenModel(selection);
  const subject = { endpoint, model };
  const stages = await planFirst(options, preset, selection, subject);
  const watch = await watchMachine(options);
  const startedAt = new Date().toISOString();
  const clock = options.clock ?? systemClock;
  // Colons are not allowed in file names everywhere.
  const runId = startedAt.replaceAll(":", "-");
  const { claims = await readClaimList() } = options;
  return await start(options, {
    preset,
    subject,
    watch,
    folder: () => options.outputFolder ?? defaultOutputFolder(runId),
    rawBlocks: new Map(),
    beginning: {
      schema: recordSchema,
      version: recordVersion,
      runId,
      status: "running",
      profile: preset.name,
      seed,
      plan: {
        ...selection,
        ...(model?.commit !== undefined && { modelCommit: model.commit }),
        looks: looksOf(preset),
        measured: [],
        ...plannedOf(stages, preset),
        ...(endpoint !== undefined && { endpoint: recordEndpoint(endpoint) }),
      },
      startedAt,
      endedAt: null,
      environment: watch.environment,
      instrument: options.elsewhere?.instrument ?? measureInstrument(clock),
      generators: [],
      cells: [],
      mainThread: [],
      claimList: listed(claims),
      claims: [],
      definitions,
    },
  });
}

async function resume(options: BenchOptions, folder: string): Promise<Run> {
  const { record, rawBlocks } = await readRunToResume(folder);
  const preset = typeof options.preset === "object" ? options.preset : findPreset(record.profile);
  requireWhatCrosses(preset, options);
  const endpoint = resumeEndpoint(record.plan.endpoint, options.endpoint);
  const subject = { endpoint, model: await findChosenModel(record.plan) };
  await planFirst(options, preset, record.plan, subject);
  const watch = await watchMachine(options);
  requireSameMachine(record, watch.environment);
  return await start(options, {
    preset,
    subject,
    watch,
    folder: () => folder,
    rawBlocks,
    // Of the version that it is: what an older one lacks cannot be added later.
    beginning: { ...record, status: "running", endedAt: null },
  });
}

/**
 * The stages of the first process, nothing left out. What is wrong is refused before anybody
 * waits, and before a folder is made.
 */
async function planFirst(
  options: BenchOptions,
  preset: Preset,
  selection: Selection,
  subject: Subject,
): Promise<readonly Stage[]> {
  const order = orderOf(options, preset, selection, subject);
  return await planStages({ ...order, process: 0, leaveOut: [] }, ownScenarios(options));
}

/** What is measured, where it is not what the preset says. */
interface Subject {
  readonly endpoint: EndpointPlan | undefined;
  readonly model: ChosenModel | undefined;
}

function orderOf(
  options: BenchOptions,
  preset: Preset,
  selection: Selection,
  subject: Subject,
): Run["order"] {
  return {
    ...recordSelection(selection),
    preset: typeof options.preset === "object" ? options.preset : preset.name,
    modules: options.modules ?? [],
    ...subject,
  };
}

async function start(
  options: BenchOptions,
  from: {
    readonly preset: Preset;
    readonly subject: Subject;
    readonly watch: EnvironmentWatch;
    readonly folder: () => string;
    readonly rawBlocks: ReadonlyMap<string, readonly RawBlock[]>;
    readonly beginning: ResultRecord;
  },
): Promise<Run> {
  const { preset, subject, watch, beginning } = from;
  const { endpoint } = subject;
  const clock = options.clock ?? systemClock;
  const scenarios = ownScenarios(options);
  const order = orderOf(options, preset, beginning.plan, subject);
  if (endpoint !== undefined) await tryEndpoint(endpoint, options.signal);
  const claims = await claimsOfRun(options, beginning);
  const file = await RecordFile.create(from.folder());
  const journal = new Journal({ file, watch, clock, claims }, beginning, from.rawBlocks);
  const { looks, timeBudgetMinutes } = beginning.plan;
  const budgetSeconds =
    preset.budgetSeconds === undefined || timeBudgetMinutes === null
      ? preset.budgetSeconds
      : 60 * timeBudgetMinutes;
  return { journal, order, scenarios, looks, budgetSeconds, claims, seed: beginning.seed, clock };
}

/** Those of the record; a record of version 3 names none. */
async function claimsOfRun(
  { claims: given, resume: folder }: BenchOptions,
  { claimList }: ResultRecord,
): Promise<readonly Claim[]> {
  const claims = given === undefined ? undefined : listed(given);
  if (claimList === undefined) return (claims ?? (await readClaimList())).claims;
  if (claims !== undefined && claims.sha256 !== claimList.sha256) {
    throw invalidOption(
      `The run in ${folder} is judged by other claims than those that are given: leave them out, ` +
        `or begin a new run.`,
    );
  }
  return claimList.claims;
}

function listed(claims: NonNullable<BenchOptions["claims"]>): ClaimList {
  return "claims" in claims ? claims : listClaims(claims);
}
