import type { Claim } from "../conclude/claims.js";
import { readClaims, shippedClaimsFile } from "../conclude/claims-file.js";
import type { RawBlock } from "../measure/raw-samples.js";
import { measureRecording } from "../measure/recorder.js";
import { measureClock, systemClock, type Clock } from "../plan/clock.js";
import {
  planEndpoint,
  recordEndpoint,
  resumeEndpoint,
  type EndpointPlan,
} from "../plan/endpoint-plan.js";
import { recordSelection } from "../plan/selection.js";
import type { Scenario } from "../plan/stage.js";
import { definitions } from "../record/definitions.js";
import { recordSchema, recordVersion, type ResultRecord, type RunPlan } from "../record/index.js";
import { tryEndpoint } from "../scenarios/open-endpoint.js";
import {
  ownScenarios,
  requireEndpointAlone,
  requireSeed,
  requireWhatCrosses,
  type BenchOptions,
} from "./bench-options.js";
import { watchEnvironment, type EnvironmentWatch } from "./environment.js";
import { Journal } from "./journal.js";
import { planStages, type StagesOrder } from "./plan-stages.js";
import { findPreset, looksOf, type Preset } from "./presets.js";
import { RecordFile, defaultOutputFolder } from "./record-file.js";
import { readRunToResume } from "./resume.js";

/** A run that is ready to measure. */
export interface Run {
  readonly journal: Journal;
  /** What each of its processes is asked for, less what is done by then. */
  readonly order: Omit<StagesOrder, "process" | "leaveOut">;
  /** Scenarios that are objects, beside those that the order names. */
  readonly scenarios: readonly Scenario[];
  readonly looks: RunPlan["looks"];
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
  const watch = await watchEnvironment();
  return await (options.resume === undefined
    ? begin(options, watch)
    : resume(options, options.resume, watch));
}

async function begin(options: BenchOptions, watch: EnvironmentWatch): Promise<Run> {
  requireEndpointAlone(options);
  const endpoint = options.endpoint && planEndpoint(options.endpoint);
  const usual = endpoint === undefined ? "quick" : "endpoint";
  const { preset: chosen = usual, scenarios, ...rest } = options;
  const preset = typeof chosen === "string" ? findPreset(chosen) : chosen;
  const seed = requireSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  const names = scenarios?.map((scenario) =>
    typeof scenario === "string" ? scenario : scenario.name,
  );
  const startedAt = new Date().toISOString();
  const clock = options.clock ?? systemClock;
  // Colons are not allowed in file names everywhere.
  const runId = startedAt.replaceAll(":", "-");
  return await start(options, {
    preset,
    endpoint,
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
        ...recordSelection({ ...rest, scenarios: names }),
        looks: looksOf(preset),
        measured: [],
        ...(endpoint !== undefined && { endpoint: recordEndpoint(endpoint) }),
      },
      startedAt,
      endedAt: null,
      environment: watch.environment,
      instrument: {
        clock: clock.name,
        ...measureClock(clock),
        recordingNanoseconds: measureRecording(clock),
      },
      generators: [],
      cells: [],
      mainThread: [],
      claims: [],
      definitions,
    },
  });
}

async function resume(
  options: BenchOptions,
  folder: string,
  watch: EnvironmentWatch,
): Promise<Run> {
  const { record, rawBlocks } = await readRunToResume(folder, watch.environment);
  return await start(options, {
    preset: typeof options.preset === "object" ? options.preset : findPreset(record.profile),
    endpoint: resumeEndpoint(record.plan.endpoint, options.endpoint),
    watch,
    folder: () => folder,
    rawBlocks,
    beginning: { ...record, version: recordVersion, status: "running", endedAt: null },
  });
}

async function start(
  options: BenchOptions,
  from: {
    readonly preset: Preset;
    readonly endpoint: EndpointPlan | undefined;
    readonly watch: EnvironmentWatch;
    readonly folder: () => string;
    readonly rawBlocks: ReadonlyMap<string, readonly RawBlock[]>;
    readonly beginning: ResultRecord;
  },
): Promise<Run> {
  const { preset, endpoint, watch, beginning } = from;
  const clock = options.clock ?? systemClock;
  const scenarios = ownScenarios(options);
  requireWhatCrosses(preset, options);
  const order = {
    ...recordSelection(beginning.plan),
    preset: options.preset ?? preset.name,
    modules: options.modules ?? [],
    endpoint,
  };
  // Refuses what is wrong before a folder is made.
  await planStages({ ...order, process: 0, leaveOut: [] }, scenarios);
  if (endpoint !== undefined) await tryEndpoint(endpoint, options.signal);
  const claims = options.claims ?? (await readClaims(shippedClaimsFile));
  const file = await RecordFile.create(from.folder());
  const journal = new Journal({ file, watch, clock, claims }, beginning, from.rawBlocks);
  const { looks } = beginning.plan;
  return { journal, order, scenarios, looks, claims, seed: beginning.seed, clock };
}
