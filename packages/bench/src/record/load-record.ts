import { rawSamplesReference, type RawSamplesReference } from "./cell.js";
import { definition, type Definition } from "./definition.js";
import { environment, type Environment } from "./environment.js";
import { loadClient, type LoadClient } from "./load-client.js";
import { recordedSchedule, type RateSchedule, type RecordedTrace } from "./load-schedule.js";
import { loadStage, type LoadStage } from "./load-stage.js";
import { InvalidRecordError } from "./result-record.js";
import {
  MismatchError,
  anything,
  array,
  boolean,
  isObject,
  nullable,
  number,
  object,
  oneOf,
  oneOfKinds,
  optional,
  partial,
  shownJson,
  string,
  type Check,
  type Shape,
} from "./shape.js";

/** Name of the schema; {@link loadRecordVersion} says which one. */
export const loadRecordSchema = "streamgauge/load";

/** The version that is written, and the only one so far. */
export const loadRecordVersion = 1;

/** One run of `streamgauge load`. */
export interface LoadRecord {
  readonly schema: typeof loadRecordSchema;
  readonly version: typeof loadRecordVersion;
  readonly runId: string;
  /** `running` in a record that was left behind by a crash. */
  readonly status: "running" | "complete" | "interrupted";
  /** Of the schedules, prompts, lengths and generations. */
  readonly seed: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while running. */
  readonly endedAt: string | null;
  readonly environment: Environment;
  readonly target: LoadTarget;
  readonly requests: RecordedRequests;
  /** null where nothing was to be met. */
  readonly objective: Objective | null;
  /** A request that is sent later than this after its due moment counts as late. */
  readonly lateAfterNanoseconds: number;
  /** Cap that the user set on requests in flight; null without one. */
  readonly maxConcurrency: number | null;
  /** After so long from its due moment a request is given up. */
  readonly timeoutSeconds: number;
  /** In the order in which they ran, each after the requests of the one before had ended. */
  readonly steps: readonly LoadStep[];
  /** null where no rate was looked for. */
  readonly foundRate: FoundRate | null;
  /** What each number of this record means. */
  readonly definitions: readonly Definition[];
}

/** What was asked. */
export type LoadTarget = LoadedEndpoint | LoadedModule;

/** An endpoint, as far as others may know it. */
export interface LoadedEndpoint {
  readonly kind: "endpoint";
  /** With the port, where the address has one. */
  readonly host: string;
  readonly model: string;
  readonly api: "completions" | "chat";
  /** The environment variable with the key; never the key. */
  readonly keyEnv?: string;
  /** Whether it was asked to go on past the end of its text. */
  readonly ignoreEos: boolean;
  /** What a trial showed. */
  readonly description: unknown;
}

/** A generator of a module, in the process of the client. */
export interface LoadedModule {
  readonly kind: "module";
  /** Name of its scenario. */
  readonly name: string;
  readonly ignoreEos: boolean;
  readonly description: unknown;
}

/** What the requests consist of. Prompts are not kept. */
export interface RecordedRequests {
  /** `filler`: drawn words. `list`: of a file or a program. `trace`: prompts as long as in a trace. */
  readonly source: "filler" | "list" | "trace";
  /** Entries of the list or trace; 0 for filler. */
  readonly count: number;
  /** Of the entries as JSON, in lower-case hexadecimal; null for filler. */
  readonly sha256: string | null;
  /** Words of a drawn prompt, as the flag says it; null where the list has all prompts. */
  readonly inputTokens: string | null;
  /** Most tokens of an answer, as the flag says it; null where the list has it for all. */
  readonly outputTokens: string | null;
}

/** Limits on every request, and the share of requests that has to keep them. */
export interface Objective {
  readonly limits: ObjectiveLimits;
  /** Above 0, at most 1. */
  readonly share: number;
}

/** Nanoseconds above 0. At least one. */
export interface ObjectiveLimits {
  readonly timeToFirstToken?: number;
  /** Of every gap between two tokens of a request. */
  readonly interTokenLatency?: number;
  readonly timePerOutputToken?: number;
  readonly endToEnd?: number;
}

/** One schedule, from its beginning to the end of its last request. */
export interface LoadStep {
  readonly schedule: RateSchedule | RecordedTrace;
  /** Over how many shards it was shared out. */
  readonly shards: number;
  /** Who offered them, in the order of the shards; absent where one machine offered it alone. */
  readonly clients?: readonly LoadClient[];
  /** `decided`: ended as soon as it was sure that the objective is missed. */
  readonly status: "complete" | "decided" | "interrupted";
  /** Whether good requests / offered ≥ the objective's share; null without one or if interrupted. */
  readonly verdict: "met" | "missed" | null;
  readonly stages: readonly LoadStage[];
  /** One file for each shard. */
  readonly rawSamples: readonly RawSamplesReference[];
}

/** What a search for the highest rate found. */
export interface FoundRate {
  /** Highest rate that met the objective, per second; null where none did. */
  readonly metPerSecond: number | null;
  /** Lowest rate above it that missed the objective; null where none did. */
  readonly missedPerSecond: number | null;
  /** Why it ended. */
  readonly conclusion:
    /** The two are as close as asked, each shown in two of three steps. */
    | "found"
    /** The lowest rate that it tries misses. */
    | "nothing meets"
    /** Misses that the client's own lateness explains: nothing is known of the server. */
    | "client late"
    | "too many steps"
    | "interrupted";
  /** Asked: missed / met − 1. */
  readonly precision: number;
  /** In a sentence, with its source. */
  readonly method: string;
}

/** Checks a {@link LoadTarget}. */
export const loadTarget: Check<LoadTarget> = oneOfKinds('"endpoint" or "module"', {
  endpoint: object({
    kind: oneOf("endpoint"),
    host: string,
    model: string,
    api: oneOf("completions", "chat"),
    keyEnv: optional(string),
    ignoreEos: boolean,
    description: anything,
  }),
  module: object({
    kind: oneOf("module"),
    name: string,
    ignoreEos: boolean,
    description: anything,
  }),
});

const limitsShape: Shape<Required<ObjectiveLimits>> = {
  timeToFirstToken: number,
  interTokenLatency: number,
  timePerOutputToken: number,
  endToEnd: number,
};

/** Checks {@link ObjectiveLimits}. */
export const objectiveLimits: Check<ObjectiveLimits> = object<ObjectiveLimits>(
  partial(limitsShape),
);

const objective: Check<Objective> = object({
  limits: objectiveLimits,
  share: number,
});

const step: Check<LoadStep> = object({
  schedule: recordedSchedule,
  shards: number,
  clients: optional(array(loadClient)),
  status: oneOf("complete", "decided", "interrupted"),
  verdict: nullable(oneOf("met", "missed")),
  stages: array(loadStage),
  rawSamples: array(rawSamplesReference),
});

const foundRate: Check<FoundRate> = object({
  metPerSecond: nullable(number),
  missedPerSecond: nullable(number),
  conclusion: oneOf("found", "nothing meets", "client late", "too many steps", "interrupted"),
  precision: number,
  method: string,
});

const checkRecord: Check<LoadRecord> = object({
  schema: oneOf(loadRecordSchema),
  version: oneOf(loadRecordVersion),
  runId: string,
  status: oneOf("running", "complete", "interrupted"),
  seed: number,
  startedAt: string,
  endedAt: nullable(string),
  environment,
  target: loadTarget,
  requests: object({
    source: oneOf("filler", "list", "trace"),
    count: number,
    sha256: nullable(string),
    inputTokens: nullable(string),
    outputTokens: nullable(string),
  }),
  objective: nullable(objective),
  lateAfterNanoseconds: number,
  maxConcurrency: nullable(number),
  timeoutSeconds: number,
  steps: array(step),
  foundRate: nullable(foundRate),
  definitions: array(definition),
});

/** Whether a parsed JSON value says that it is a record of `streamgauge load`, of any version. */
export function isLoadRecord(json: unknown): boolean {
  return isObject(json) && json["schema"] === loadRecordSchema;
}

/**
 * Checks that a parsed JSON value is a record of `streamgauge load`, down to every field that this
 * schema names.
 *
 * @throws InvalidRecordError naming the field or the version, and the remedy
 */
export function parseLoadRecord(json: unknown): LoadRecord {
  if (!isObject(json) || json["schema"] !== loadRecordSchema) {
    throw new InvalidRecordError(
      `This is no record of a load: its "schema" is not "${loadRecordSchema}". Give the ` +
        `record.json that \`streamgauge load\` wrote.`,
    );
  }
  if (json["version"] !== loadRecordVersion) {
    throw new InvalidRecordError(
      `The record has version ${shownJson(json["version"])}, and this streamgauge reads version ` +
        `${loadRecordVersion}. Read it with the streamgauge that wrote it, or run the load again.`,
    );
  }
  try {
    checkRecord(json, "record");
    return json;
  } catch (cause) {
    if (!(cause instanceof MismatchError)) throw cause;
    throw new InvalidRecordError(
      `The record is damaged: ${cause.message} Run the load again, or take an intact copy.`,
      { cause },
    );
  }
}
