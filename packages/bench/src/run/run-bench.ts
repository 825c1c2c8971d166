import { invalidOption } from "@streamgauge/core";
import { isMadeFor, type Claim } from "../conclude/claims.js";
import { readClaims, shippedClaimsFile } from "../conclude/claims-file.js";
import { measureClock, systemClock, type Clock } from "../plan/clock.js";
import { definitions } from "../record/definitions.js";
import { watchEnvironment, type EnvironmentWatch } from "./environment.js";
import { execute } from "./execution.js";
import { expectedSeconds } from "./expected-time.js";
import { Journal } from "./journal.js";
import { planStages, type StagesOrder } from "./plan-stages.js";
import { runProcess } from "./process/run-process.js";
import { findProfile, looksOf, type Profile, type Selection } from "./presets.js";
import { overAllProcesses, type BenchProgress } from "./progress.js";
import type { RawBlock } from "../measure/raw-samples.js";
import { RecordFile, defaultOutputFolder } from "./record-file.js";
import { recordSchema, recordVersion, type ResultRecord, type RunPlan } from "../record/index.js";
import { measureRecording } from "../measure/recorder.js";
import { readRunToResume } from "./resume.js";
import type { OpenGenerator } from "../plan/generator-plan.js";
import { openGenerator } from "../scenarios/open-generator.js";
import type { Scenario } from "../plan/stage.js";

/** What to run, where to put it, and who is told. */
export interface BenchOptions extends Omit<Selection, "scenarios"> {
  /** A profile or the name of one. Default "quick". */
  readonly profile?: string | Profile | undefined;
  /**
   * Names, or scenarios made by `defineScenario`. A profile of several processes
   * cannot take the latter: functions do not cross; see {@link modules}.
   */
  readonly scenarios?: readonly (string | Scenario)[] | undefined;
  /** File URLs of modules that export scenarios; they run unless others are named. */
  readonly modules?: readonly string[] | undefined;
  /** Kinds of profiles to make of the streams, as in `profileKinds`. */
  readonly profiles?: readonly string[] | undefined;
  /** An integer in [0, 2³² − 1]. Default: drawn, and kept in the record. */
  readonly seed?: number | undefined;
  /** Default: `results/local/<run id>` under the workspace's root. */
  readonly outputFolder?: string | undefined;
  /**
   * Folder of a run that was interrupted: what is whole in it stays, and the rest
   * is measured. Its plan and seed are used; give no others.
   */
  readonly resume?: string | undefined;
  /** Default: those in {@link shippedClaimsFile}. */
  readonly claims?: readonly Claim[] | undefined;
  /** Ends the run between two generations; what is done is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /** Makes the generators; in one process only. Default: the runtime's. */
  readonly openGenerator?: OpenGenerator | undefined;
  /** In one process only. */
  readonly clock?: Clock | undefined;
}

/** A finished run. */
export interface BenchOutcome {
  readonly record: ResultRecord;
  /** Of the record's file. */
  readonly path: string;
}

/**
 * Runs the bench: process by process, generator by generator, cell by cell, each
 * cell in interleaved blocks. The record is saved while it grows, and the raw
 * samples beside it as each cell ends.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for options that select nothing
 *   known; whatever making a generator throws; `PROCESS_FAILED`. A cell that
 *   fails does not throw: the record says so.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchOutcome> {
  const run =
    options.resume === undefined ? await begin(options) : await resume(options, options.resume);
  const { journal } = run;
  try {
    for (const { processes } of run.looks) {
      while (run.next < processes && !isAborted(options)) {
        await runOneProcess(run, processes, options);
        run.next += 1;
      }
      if (isAborted(options)) break;
      journal.judge();
      run.decided = decidedCells(journal.record, run.claims);
    }
  } catch (error) {
    await journal.end("interrupted");
    throw error;
  }
  return await journal.end(isAborted(options) ? "interrupted" : "complete");
}

/** A run under way. */
interface Run {
  readonly journal: Journal;
  readonly order: Omit<StagesOrder, "process" | "leaveOut">;
  readonly scenarios: readonly Scenario[];
  readonly looks: RunPlan["looks"];
  readonly claims: readonly Claim[];
  readonly seed: number;
  readonly clock: Clock;
  /** The process that comes next, from 0. */
  next: number;
  /** Cells that need no further process. */
  decided: readonly string[];
}

async function begin(options: BenchOptions): Promise<Run> {
  const chosen = options.profile ?? "quick";
  const profile = typeof chosen === "string" ? findProfile(chosen) : chosen;
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw invalidOption(`The seed is ${seed}; it must be an integer from 0 to ${2 ** 32 - 1}.`);
  }
  const { scenarios, tokens, blocks, model, timeBudgetMinutes } = options;
  const names = scenarios?.map((scenario) =>
    typeof scenario === "string" ? scenario : scenario.name,
  );
  const looks = looksOf(profile);
  const plan: RunPlan = {
    scenarios: names ?? null,
    tokens: tokens ?? null,
    blocks: blocks ?? null,
    model: model ?? null,
    timeBudgetMinutes: timeBudgetMinutes ?? null,
    profiles: options.profiles ?? [],
    looks,
    measured: [],
  };
  const startedAt = new Date().toISOString();
  const watch = await watchEnvironment();
  const clock = options.clock ?? systemClock;
  // Colons are not allowed in file names everywhere.
  const runId = startedAt.replaceAll(":", "-");
  return await start(options, {
    profile,
    watch,
    folder: () => options.outputFolder ?? defaultOutputFolder(runId),
    rawBlocks: new Map(),
    beginning: {
      schema: recordSchema,
      version: recordVersion,
      runId,
      status: "running",
      profile: profile.name,
      seed,
      plan,
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

async function resume(options: BenchOptions, folder: string): Promise<Run> {
  const watch = await watchEnvironment();
  const { record, rawBlocks } = await readRunToResume(folder, watch.environment);
  const profile =
    typeof options.profile === "object" ? options.profile : findProfile(record.profile);
  return await start(options, {
    profile,
    watch,
    folder: () => folder,
    rawBlocks,
    beginning: { ...record, version: recordVersion, status: "running", endedAt: null },
  });
}

async function start(
  options: BenchOptions,
  from: {
    readonly profile: Profile;
    readonly watch: EnvironmentWatch;
    readonly folder: () => string;
    readonly rawBlocks: ReadonlyMap<string, readonly RawBlock[]>;
    readonly beginning: ResultRecord;
  },
): Promise<Run> {
  const { profile, watch, beginning } = from;
  const clock = options.clock ?? systemClock;
  const { plan } = beginning;
  const scenarios = (options.scenarios ?? []).filter((scenario) => typeof scenario !== "string");
  requireWhatCrosses(profile, scenarios, options);
  const order = {
    profile: options.profile === undefined ? profile.name : options.profile,
    selection: selectionOf(plan),
    profiles: plan.profiles,
    modules: options.modules ?? [],
  };
  // Refuses what is wrong before a folder is made.
  await planStages({ ...order, process: 0, leaveOut: [] }, scenarios);
  const claims = options.claims ?? (await readClaims(shippedClaimsFile));
  const file = await RecordFile.create(from.folder());
  const journal = new Journal({ file, watch, clock, claims }, beginning, from.rawBlocks);
  return {
    journal,
    order,
    scenarios,
    looks: plan.looks,
    claims,
    seed: beginning.seed,
    clock,
    next: 0,
    decided: [],
  };
}

async function runOneProcess(run: Run, processes: number, options: BenchOptions): Promise<void> {
  const { journal, order, seed, clock, next: process } = run;
  const leaveOut = [...run.decided, ...doneBefore(journal.record, process)];
  const stages = await planStages({ ...order, process, leaveOut }, run.scenarios);
  if (stages.length === 0) return;
  const { signal, onProgress = () => undefined } = options;
  if (run.looks.length === 1 && processes === 1) {
    const open = options.openGenerator ?? openGenerator;
    await execute({
      stages,
      process,
      seed,
      clock,
      signal,
      open,
      sink: journal,
      report: onProgress,
    });
    return;
  }
  const all = Array.from({ length: processes }, (_, index) =>
    planStages({ ...order, process: index, leaveOut: run.decided }, run.scenarios),
  );
  const expected = (await Promise.all(all)).map(expectedSeconds);
  await runProcess(
    { ...order, profile: journal.record.profile, process, seed, leaveOut },
    {
      sink: journal,
      signal,
      report: (progress) => onProgress(overAllProcesses(progress, process, expected)),
    },
  );
}

/** What of a process is whole already; failed cells are not tried again. */
function doneBefore({ cells, plan }: ResultRecord, process: number): string[] {
  const done = cells.filter(
    ({ status, processes }) =>
      status === "failed" ||
      processes.some((part) => part.process === process && part.status === "complete"),
  );
  return [...done.map(({ id }) => id), ...plan.measured];
}

/** A cell goes on while a claim about it is undecided; without claims it has what it needs. */
function decidedCells(
  { cells, claims: results }: ResultRecord,
  claims: readonly Claim[],
): string[] {
  return cells
    .filter(
      (cell) =>
        !claims.some((claim) => isMadeFor(claim, cell)) ||
        results
          .filter((result) => result.cell === cell.id)
          .every(({ verdict }) => verdict === "upheld" || verdict === "refuted"),
    )
    .map(({ id }) => id);
}

function requireWhatCrosses(
  profile: Profile,
  scenarios: readonly Scenario[],
  { openGenerator: own, profile: chosen, clock }: BenchOptions,
): void {
  if (profile.lookAtProcesses.length === 1 && profile.lookAtProcesses[0] === 1) return;
  const given = Object.entries({
    "scenarios that are objects": scenarios.length > 0,
    "a profile that is an object": typeof chosen === "object",
    openGenerator: own !== undefined,
    clock: clock !== undefined,
  }).filter(([, isGiven]) => isGiven);
  if (given.length === 0) return;
  throw invalidOption(
    `The profile "${profile.name}" measures in several processes, to which ` +
      `${given.map(([what]) => what).join(" and ")} cannot cross: export scenarios from a module ` +
      `and give its URL in "modules", or choose a profile of one process.`,
  );
}

function selectionOf(plan: RunPlan): Selection {
  return {
    scenarios: plan.scenarios ?? undefined,
    tokens: plan.tokens ?? undefined,
    blocks: plan.blocks ?? undefined,
    model: plan.model ?? undefined,
    timeBudgetMinutes: plan.timeBudgetMinutes ?? undefined,
  };
}

function isAborted({ signal }: BenchOptions): boolean {
  return signal?.aborted === true;
}
