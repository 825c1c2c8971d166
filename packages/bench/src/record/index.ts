/**
 * The result record: everything one run of the bench measured and concluded, as
 * plain JSON. Whoever renders a record computes nothing: each number and each
 * verdict that is shown is in it.
 *
 * This module and those in `record/` import nothing else, so that a reader of
 * records needs nothing else.
 *
 * @module
 */
import {
  distribution,
  type Distribution,
  type DistributionMetric,
  type LatencySummary,
} from "./distribution.js";
import { engineMeasurement, type EngineMeasurement } from "./engine.js";
import {
  estimate,
  estimates,
  interval,
  type Estimate,
  type Estimates,
  type Interval,
} from "./estimates.js";
import {
  abortMeasurement,
  arrivalsMeasurement,
  slowConsumerMeasurement,
  type AbortMeasurement,
  type ArrivalsMeasurement,
  type MeasuredMode,
  type SlowConsumerMeasurement,
} from "./load.js";
import { profileMeasurement, type ProfileMeasurement } from "./profile.js";
import {
  InvalidRecordError,
  anything,
  array,
  boolean,
  fail,
  isObject,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
  type Check,
  type Shape,
} from "./shape.js";
import { transportMeasurement, type TransportMeasurement } from "./transport.js";
import { treatment, treatments, type Treatment } from "./treatment.js";
import type { CellVariation } from "./variant.js";
import { verdict, type Verdict } from "./verdict.js";

export type { Distribution, DistributionMetric, Estimate, Estimates, Interval, LatencySummary };
export type { AbortMeasurement, ArrivalsMeasurement, MeasuredMode, SlowConsumerMeasurement };
export {
  findAllocations,
  profilesOfKind,
  type HasProfiles,
  type ProfileOf,
} from "./find-profiles.js";
export type * from "./profile.js";
export { lessOverhead, type ValueWithInterval } from "./less-overhead.js";
export { machineClass, type MachineIdentity } from "./machine-class.js";
export { engineComparison } from "./engine.js";
export type * from "./engine.js";
export { describeLoad, transportBaselines, transportComparison } from "./transport.js";
export type * from "./transport.js";
export { describeVariant, type CellVariation } from "./variant.js";
export { InvalidRecordError, treatments, type Treatment, type Verdict };

/** Name of the schema; {@link recordVersion} says which one. */
export const recordSchema = "streamgauge/result";

/**
 * Raised whenever a reader of the previous version would misread a record.
 *
 * 1: the first. 2: cells name their raw samples, and a claim's metric can be
 * `absoluteCost`, whose limit is no fraction. 3: the blocks of a cell can come
 * from several processes, a claim can be that there is no difference, and there
 * are measurements beside the cells.
 */
export const recordVersion = 3;

/** The versions that {@link parseRecord} accepts. What a version added is optional in those before. */
export const readableRecordVersions: readonly number[] = [1, 2, recordVersion];

/** One run of the bench. */
export interface ResultRecord {
  readonly schema: typeof recordSchema;
  /** One of {@link readableRecordVersions}; new records have {@link recordVersion}. */
  readonly version: 1 | 2 | typeof recordVersion;
  readonly runId: string;
  /** `running` in a record that was left behind by a crash. */
  readonly status: "running" | "complete" | "interrupted";
  /** Name of the profile: which cells, how many blocks. */
  readonly profile: string;
  /** Draws the order within the blocks; also the seed of every generation. */
  readonly seed: number;
  /** What was to be measured, for whoever continues it. Since version 3. */
  readonly plan?: RunPlan;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while running. */
  readonly endedAt: string | null;
  readonly environment: Environment;
  readonly instrument: Instrument;
  readonly generators: readonly GeneratorDescription[];
  readonly cells: readonly Cell[];
  readonly mainThread: readonly MainThreadMeasurement[];
  /** Since version 3, as what follows. */
  readonly arrivals?: readonly ArrivalsMeasurement[];
  readonly aborts?: readonly AbortMeasurement[];
  readonly slowConsumers?: readonly SlowConsumerMeasurement[];
  readonly transports?: readonly TransportMeasurement[];
  readonly engine?: readonly EngineMeasurement[];
  readonly profiles?: readonly ProfileMeasurement[];
  /** Measurements beside the cells that failed, and why. Since version 3. */
  readonly failedMeasurements?: readonly FailedMeasurement[];
  readonly claims: readonly ClaimResult[];
  /** What the bench made of delays that were known; only in calibrations. Since version 2. */
  readonly calibration?: readonly CalibrationPoint[];
  /** What each number of this record means. */
  readonly definitions: readonly Definition[];
}

/** A measurement that failed; the others went on. */
export interface FailedMeasurement {
  /** As in {@link RunPlan.measured}. */
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

/** What a run was asked for, beside its profile and seed. */
export interface RunPlan {
  /** Names, where not all of the profile's. */
  readonly scenarios: readonly string[] | null;
  readonly tokens: readonly number[] | null;
  readonly blocks: number | null;
  readonly model: string | null;
  readonly timeBudgetMinutes: number | null;
  /** Kinds of profiles that were asked for. */
  readonly profiles: readonly string[];
  /** When verdicts are looked for; one look in a single process. */
  readonly looks: readonly Look[];
  /** Measurements that are done, by id: those that are no cells. */
  readonly measured: readonly string[];
}

/** A planned look at the data. */
export interface Look {
  /** Processes that are done when it comes. */
  readonly processes: number;
  /** One-sided level of its bounds: 0.05 where there is only one look. */
  readonly tail: number;
}

/** The machine and the software, and what about them may disturb a measurement. */
export interface Environment {
  readonly cpuModel: string;
  readonly logicalCores: number;
  /** Frequency governor of the first core; null where it cannot be read. */
  readonly cpuGovernor: string | null;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  /** Processes ready to run, averaged over 1, 5 and 15 minutes. */
  readonly loadAverageBefore: readonly number[];
  /** The same at the end of the run; null while running. */
  readonly loadAverageAfter: readonly number[] | null;
  /**
   * Share of all CPU time that a hypervisor gave to other guests during the run,
   * 0 to 1; null while running and where it cannot be read. Since version 2.
   */
  readonly stolenCpuFraction?: number | null;
  /** The same before, during and after the run: at its beginning, as cells end, and at its end. Since version 3. */
  readonly course?: readonly EnvironmentSample[];
  readonly nodeVersion: string;
  readonly v8Version: string;
  /** Name to version; null where a package was not found. */
  readonly packages: Readonly<Record<string, string | null>>;
  /** null outside a git checkout, or without git. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  /** What to change for a quieter measurement. */
  readonly advice: readonly string[];
  /** Largest resident set of the process, workers included, so far. */
  readonly peakResidentBytes: number;
}

/** How busy the machine was at a moment of the run. */
export interface EnvironmentSample {
  readonly secondsSinceStart: number;
  /** Processes ready to run, averaged over one minute. */
  readonly loadAverage: number;
  /** {@link Environment.stolenCpuFraction} since the sample before; null where it cannot be read. */
  readonly stolenCpuFraction: number | null;
}

/** The measuring instrument, measured. */
export interface Instrument {
  readonly clock: string;
  /** Smallest step seen between two readings: one reading's time, where that is longer. */
  readonly clockResolutionNanoseconds: number;
  /** Median time of one reading. */
  readonly clockReadNanoseconds: number;
  /** Median time to record one token; it is part of what streaming is charged with. */
  readonly recordingNanoseconds: number;
}

/** One generator under measurement, in its own words. */
export interface GeneratorDescription {
  readonly id: string;
  readonly engine: string;
  readonly model: string;
  readonly host: string;
  /** From the call that makes it to its readiness. */
  readonly openNanoseconds: number;
  /** What the generator says about itself; JSON. */
  readonly description: unknown;
}

/** What is held fixed in one cell. */
export interface CellIdentity extends CellVariation {
  /** Unique in a record. */
  readonly id: string;
  readonly scenario: string;
  /** {@link GeneratorDescription.id} */
  readonly generator: string;
  /** `onnx` or `paced`. */
  readonly engine: string;
  readonly model: string;
  /** `pooled` (worker threads) or `inline` (the consuming thread). */
  readonly host: string;
  /** Tokens made by each generation. */
  readonly tokens: number;
}

/** How far something is that is measured. */
export type Status = "running" | "complete" | "interrupted" | "failed";

/** One experiment: every treatment, in interleaved blocks. */
export interface Cell extends CellIdentity {
  readonly status: Status;
  /** Why the cell failed; null unless it did. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** null until the first generation has said so. */
  readonly promptTokens: number | null;
  /** Over all processes. */
  readonly warmUp: WarmUp;
  /** What each process did for this cell. Since version 3. */
  readonly processes?: readonly ProcessPart[];
  /** Blocks that were planned, over all processes; fewer are done when the time budget ran out. */
  readonly plannedBlocks: number;
  readonly blocks: readonly Block[];
  /** Over all tokens of all measured runs; made when the cell ends. */
  readonly distributions: readonly Distribution[];
  /** null with fewer blocks than an interval needs. */
  readonly analysis: Analysis | null;
  /** Of the slow runs; absent in records from before it was made. Since version 3. */
  readonly tails?: readonly TailComparison[];
  /**
   * What blocks, distributions and analysis are derived from. null until the
   * cell ends, and for a cell without a block; absent in records of version 1.
   */
  readonly rawSamples?: RawSamplesReference | null;
}

/** The file with the raw samples of a cell. */
export interface RawSamplesReference {
  /** Relative to the folder of the record, with forward slashes. */
  readonly file: string;
  readonly byteLength: number;
  /** Of the file's bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** One process's share of a cell. */
export interface ProcessPart {
  /** {@link Block.process} */
  readonly process: number;
  readonly status: Status;
  readonly blocks: number;
  readonly warmUp: WarmUp;
}

/** Blocks run before the measured ones and dropped. */
export interface WarmUp {
  readonly blocksDropped: number;
  /** Whether block times had stopped trending when the measurement began. */
  readonly steady: boolean;
}

/** One run of every treatment: one sample. */
export interface Block {
  readonly index: number;
  /** Which process measured it, from 0; 0 without it. Since version 3. */
  readonly process?: number;
  /** In the order in which they ran. */
  readonly runs: readonly Run[];
}

/** One generation. Times are integers; see the definitions for their formulas. */
export interface Run {
  readonly treatment: Treatment;
  readonly endToEndNanoseconds: number;
  /** null for `generate` and `control`, which deliver nothing before the end. */
  readonly timeToFirstTokenNanoseconds: number | null;
  /** null for `generate` and `control`, and where only one token was made. */
  readonly timePerOutputTokenNanoseconds: number | null;
  /** User and system time of the whole process, its workers included. */
  readonly cpuMicroseconds: number;
  /** 0 to 1, of the consuming thread. */
  readonly eventLoopUtilization: number;
  /** Inside the user's callbacks, all tokens together; only where they are timed. Since version 3. */
  readonly callbackNanoseconds?: number;
  /** Sampled right after the run. */
  readonly memory: Memory;
}

/** Bytes, as `process.memoryUsage()` of the consuming thread gives them. */
export interface Memory {
  /** Of the whole process, its workers included. */
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
}

/** What the blocks of a cell say. */
export interface Analysis {
  readonly treatments: readonly TreatmentSummary[];
  readonly comparisons: readonly Comparison[];
}

/** A treatment by itself. Medians over blocks unless the name says otherwise. */
export interface TreatmentSummary {
  readonly treatment: Treatment;
  readonly endToEndNanoseconds: number;
  readonly throughputTokensPerSecond: number;
  /** null where {@link Run.timePerOutputTokenNanoseconds} is. */
  readonly timePerOutputTokenNanoseconds: number | null;
  readonly cpuMicrosecondsPerToken: number;
  readonly eventLoopUtilization: number;
  /** Inside the user's callback; only where it is timed. Since version 3. */
  readonly callbackMicrosecondsPerToken?: number;
  /** The largest sample of each, over all blocks. */
  readonly peakMemory: Memory;
}

/** The slow runs of a treatment against the slow runs of `generate`. */
export interface TailComparison {
  readonly treatment: Exclude<Treatment, "generate">;
  /** Which percentile of the runs' end-to-end latency, by nearest rank. */
  readonly percent: number;
  /** A fraction; BCa bootstrap intervals over blocks, stratified by process. */
  readonly overhead: Estimate;
}

export type SampleLevel = "blocks" | "processes" | "too few processes";

/** A treatment against `generate`, block by block. */
export interface Comparison {
  readonly treatment: Exclude<Treatment, "generate">;
  readonly blocks: number;
  /** Processes that the blocks are from; 1 without it. Since version 3, as what follows. */
  readonly processes?: number;
  /**
   * What is one sample: a block, or, where processes differ by more than their
   * blocks explain, the mean of a process. `too few processes`: they differ, and
   * there are not enough of them for an interval; it is of blocks, and too narrow.
   * `blocks` without it.
   */
  readonly level?: SampleLevel;
  /** Fractions: 0.05 is 5 % slower than `generate`. */
  readonly overhead: Estimates;
  /** Of the log-ratios of the samples. */
  readonly standardDeviation: number;
  /** The overhead (a fraction) this many samples show with a probability of 90 %. */
  readonly smallestDetectableEffect: number;
  readonly costMicrosecondsPerToken: Estimates;
}

/** How free the consuming thread is while tokens arrive. */
export interface MainThreadMeasurement {
  readonly generator: string;
  readonly model: string;
  readonly host: string;
  readonly treatment: Treatment;
  readonly generations: number;
  readonly tokens: number;
  readonly durationNanoseconds: number;
  readonly throughputTokensPerSecond: number;
  /** 0 to 1, over the whole measurement. */
  readonly eventLoopUtilization: number;
  readonly timer: {
    readonly periodMilliseconds: number;
    readonly fires: number;
    /** Fires there would be if each came exactly on time. */
    readonly expectedFires: number;
    /** The three are null when it never fired. */
    readonly p50LatenessNanoseconds: number | null;
    readonly p99LatenessNanoseconds: number | null;
    readonly maximumLatenessNanoseconds: number | null;
  };
}

/**
 * What the bench made of one known delay: its estimate from all blocks, and the
 * verdicts of many small experiments made of consecutive blocks. The verdicts
 * over all delays are the bench's operating characteristic.
 */
export interface CalibrationPoint {
  readonly cell: string;
  readonly treatment: "stream" | "streamAsync";
  readonly injectedFraction: number;
  readonly overhead: Estimates;
  /** Less what streaming costs where nothing is injected. Since version 3. */
  readonly net?: NetOverhead;
  /**
   * Whether both net estimates are within 0.01 of what was injected, or their
   * 95 % intervals hold it. Before version 3 the estimates were not net.
   */
  readonly recovered: boolean;
  /** Of the claim that the small experiments decided. */
  readonly limit: number;
  readonly blocksPerExperiment: number;
  /** Experiments by verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** An overhead less another, by both estimators. */
export interface NetOverhead {
  readonly hodgesLehmann: Pick<Estimate, "value" | "interval95">;
  readonly mean: Pick<Estimate, "value" | "interval95">;
}

/**
 * What a claim limits. `overhead`: {@link Comparison.overhead}, a fraction.
 * `absoluteCost`: {@link Comparison.costMicrosecondsPerToken}. `difference`: the
 * overhead again, to both sides: that there is none. Since version 3.
 */
export type ClaimMetric = "overhead" | "absoluteCost" | "difference";

/** A claim held against one cell. */
export interface ClaimResult {
  readonly id: string;
  readonly metric: ClaimMetric;
  readonly treatment: Comparison["treatment"];
  /** {@link CellIdentity.id} */
  readonly cell: string;
  /** The claim is that the metric is below it, or within ± it; in the metric's unit. */
  readonly limit: number;
  readonly verdict: Verdict;
  /** Why, in sentences. */
  readonly reasons: readonly string[];
  /**
   * The look that decided, of those that were planned; only where there was more
   * than one. Since version 3.
   */
  readonly look?: Look | null;
  /** `generate` against itself; null where there was no analysis, and for a difference. */
  readonly control: {
    /** A quarter of the limit, in the metric's unit. */
    readonly margin: number;
    readonly equivalent: boolean;
  } | null;
  /**
   * Token time at which the limit would just be reached; null without an
   * analysis, and for an absolute cost, which is the same at any token time.
   */
  readonly breakEvenMicrosecondsPerToken: number | null;
}

/** What a number means. */
export interface Definition {
  readonly metric: string;
  readonly formula: string;
}

/**
 * Checks that a parsed JSON value is a record of a readable version, down to
 * every field that this schema names.
 *
 * @throws InvalidRecordError naming the field or the version, and the remedy
 */
export function parseRecord(json: unknown): ResultRecord {
  if (!isObject(json) || json["schema"] !== recordSchema) {
    throw new InvalidRecordError(
      `This is not a streamgauge result record: its "schema" is not "${recordSchema}". ` +
        `Give the record.json that \`streamgauge bench\` wrote.`,
    );
  }
  if (!readableRecordVersions.includes(json["version"] as number)) {
    throw new InvalidRecordError(
      `The record has version ${String(json["version"])}, and this streamgauge reads versions ` +
        `${readableRecordVersions.slice(0, -1).join(", ")} and ${recordVersion}. Read it with the streamgauge that wrote it, or run the bench again.`,
    );
  }
  requireBlocks(json["cells"]);
  checkRecord(json, "record");
  return json as unknown as ResultRecord;
}

/** A record's file leaves out blocks; that is no damage. */
function requireBlocks(cells: unknown): void {
  if (!Array.isArray(cells)) return;
  const leftOut = cells.find(
    (cell) => isObject(cell) && cell["blocks"] === undefined && isObject(cell["rawSamples"]),
  );
  if (leftOut === undefined) return;
  throw new InvalidRecordError(
    `The blocks of ${String(leftOut["id"])} are not in the record's file but in the raw samples beside it. ` +
      `Read the file with \`readRecordFile\` of @streamgauge/bench/record-file, which restores them.`,
  );
}

const memory = object<Memory>({
  residentBytes: number,
  heapUsedBytes: number,
  externalBytes: number,
  arrayBufferBytes: number,
});

const environment = object<Environment>({
  cpuModel: string,
  logicalCores: number,
  cpuGovernor: nullable(string),
  memoryBytes: number,
  operatingSystem: string,
  loadAverageBefore: array(number),
  loadAverageAfter: nullable(array(number)),
  stolenCpuFraction: optional(nullable(number)),
  course: optional(
    array(
      object<EnvironmentSample>({
        secondsSinceStart: number,
        loadAverage: number,
        stolenCpuFraction: nullable(number),
      }),
    ),
  ),
  nodeVersion: string,
  v8Version: string,
  packages: (value, path) => {
    if (!isObject(value)) fail(path, "an object");
    for (const [name, version] of Object.entries(value)) nullable(string)(version, path + name);
  },
  git: nullable(object<NonNullable<Environment["git"]>>({ commit: string, dirty: boolean })),
  advice: array(string),
  peakResidentBytes: number,
});

const status = oneOf("running", "complete", "interrupted", "failed");
const warmUp = object<WarmUp>({ blocksDropped: number, steady: boolean });
const look = object<Look>({ processes: number, tail: number });

const identityShape: Shape<CellIdentity> = {
  id: string,
  scenario: string,
  generator: string,
  engine: string,
  model: string,
  host: string,
  tokens: number,
  injectedFraction: optional(number),
  workload: optional(string),
  sampling: optional(string),
  concurrency: optional(number),
  ringCapacity: optional(number),
  publishBatch: optional(number),
  ringWait: optional(string),
  spinMicroseconds: optional(number),
  maxDelayMilliseconds: optional(number),
};

/** The fields of {@link CellIdentity}. */
export const identityFields: readonly (keyof CellIdentity)[] = Object.keys(
  identityShape,
) as (keyof CellIdentity)[];

/** What identifies a cell, of a cell or a plan for one. */
export function identityOf(cell: CellIdentity): CellIdentity {
  const entries = identityFields.map((field) => [field, cell[field]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as CellIdentity;
}

const cell = object<Cell>({
  ...identityShape,
  status,
  failure: nullable(object<NonNullable<Cell["failure"]>>({ code: string, message: string })),
  promptTokens: nullable(number),
  warmUp,
  processes: optional(
    array(object<ProcessPart>({ process: number, status, blocks: number, warmUp })),
  ),
  plannedBlocks: number,
  blocks: array(
    object<Block>({
      index: number,
      process: optional(number),
      runs: array(
        object<Run>({
          treatment,
          endToEndNanoseconds: number,
          timeToFirstTokenNanoseconds: nullable(number),
          timePerOutputTokenNanoseconds: nullable(number),
          cpuMicroseconds: number,
          eventLoopUtilization: number,
          callbackNanoseconds: optional(number),
          memory,
        }),
      ),
    }),
  ),
  distributions: array(distribution),
  analysis: nullable(
    object<Analysis>({
      treatments: array(
        object<TreatmentSummary>({
          treatment,
          endToEndNanoseconds: number,
          throughputTokensPerSecond: number,
          timePerOutputTokenNanoseconds: nullable(number),
          cpuMicrosecondsPerToken: number,
          eventLoopUtilization: number,
          callbackMicrosecondsPerToken: optional(number),
          peakMemory: memory,
        }),
      ),
      comparisons: array(
        object<Comparison>({
          treatment: oneOf("control", "stream", "streamAsync"),
          blocks: number,
          processes: optional(number),
          level: optional(oneOf("blocks", "processes", "too few processes")),
          overhead: estimates,
          standardDeviation: number,
          smallestDetectableEffect: number,
          costMicrosecondsPerToken: estimates,
        }),
      ),
    }),
  ),
  tails: optional(
    array(
      object<TailComparison>({
        treatment: oneOf("control", "stream", "streamAsync"),
        percent: number,
        overhead: estimate,
      }),
    ),
  ),
  rawSamples: optional(
    nullable(object<RawSamplesReference>({ file: string, byteLength: number, sha256: string })),
  ),
});

const netEstimate = object<NetOverhead["mean"]>({ value: number, interval95: interval });

const checkRecord: Check = object<ResultRecord>({
  schema: string,
  version: number,
  runId: string,
  status: oneOf("running", "complete", "interrupted"),
  profile: string,
  seed: number,
  plan: optional(
    object<RunPlan>({
      scenarios: nullable(array(string)),
      tokens: nullable(array(number)),
      blocks: nullable(number),
      model: nullable(string),
      timeBudgetMinutes: nullable(number),
      profiles: array(string),
      looks: array(look),
      measured: array(string),
    }),
  ),
  startedAt: string,
  endedAt: nullable(string),
  environment,
  instrument: object<Instrument>({
    clock: string,
    clockResolutionNanoseconds: number,
    clockReadNanoseconds: number,
    recordingNanoseconds: number,
  }),
  generators: array(
    object<GeneratorDescription>({
      id: string,
      engine: string,
      model: string,
      host: string,
      openNanoseconds: number,
      description: anything,
    }),
  ),
  cells: array(cell),
  mainThread: array(
    object<MainThreadMeasurement>({
      generator: string,
      model: string,
      host: string,
      treatment,
      generations: number,
      tokens: number,
      durationNanoseconds: number,
      throughputTokensPerSecond: number,
      eventLoopUtilization: number,
      timer: object<MainThreadMeasurement["timer"]>({
        periodMilliseconds: number,
        fires: number,
        expectedFires: number,
        p50LatenessNanoseconds: nullable(number),
        p99LatenessNanoseconds: nullable(number),
        maximumLatenessNanoseconds: nullable(number),
      }),
    }),
  ),
  arrivals: optional(array(arrivalsMeasurement)),
  aborts: optional(array(abortMeasurement)),
  slowConsumers: optional(array(slowConsumerMeasurement)),
  transports: optional(array(transportMeasurement)),
  engine: optional(array(engineMeasurement)),
  profiles: optional(array(profileMeasurement)),
  failedMeasurements: optional(
    array(object<FailedMeasurement>({ id: string, code: string, message: string })),
  ),
  claims: array(
    object<ClaimResult>({
      id: string,
      metric: oneOf("overhead", "absoluteCost", "difference"),
      treatment: oneOf("control", "stream", "streamAsync"),
      cell: string,
      limit: number,
      verdict,
      reasons: array(string),
      look: optional(nullable(look)),
      control: nullable(
        object<NonNullable<ClaimResult["control"]>>({ margin: number, equivalent: boolean }),
      ),
      breakEvenMicrosecondsPerToken: nullable(number),
    }),
  ),
  calibration: optional(
    array(
      object<CalibrationPoint>({
        cell: string,
        treatment: oneOf("stream", "streamAsync"),
        injectedFraction: number,
        overhead: estimates,
        net: optional(object<NetOverhead>({ hodgesLehmann: netEstimate, mean: netEstimate })),
        recovered: boolean,
        limit: number,
        blocksPerExperiment: number,
        verdicts: object<CalibrationPoint["verdicts"]>({
          upheld: number,
          refuted: number,
          inconclusive: number,
          void: number,
        }),
      }),
    ),
  ),
  definitions: array(object<Definition>({ metric: string, formula: string })),
});
