import { calibrationPoint, type CalibrationPoint } from "./calibration.js";
import { cell, type Cell } from "./cell.js";
import { claimList, type ClaimList } from "./claim-list.js";
import { claimResult, type ClaimResult } from "./claims.js";
import { definition, type Definition } from "./definition.js";
import { endpointComparison, type EndpointComparison } from "./endpoint.js";
import { environment, instrument, type Environment, type Instrument } from "./environment.js";
import { failedMeasurement, type FailedMeasurement } from "./failure.js";
import { generatorDescription, type GeneratorDescription } from "./generator.js";
import { machineComparison, type MachineComparison } from "./machine-comparison.js";
import { measuringMachine, type MeasuringMachine } from "./measuring-machine.js";
import { measurementsShape, type RecordMeasurements } from "./measurements.js";
import { runPlan, type RunPlan } from "./run-plan.js";
import {
  MismatchError,
  array,
  isObject,
  nullable,
  number,
  object,
  oneOf,
  shownJson,
  optional,
  string,
  type Check,
} from "./shape.js";

/** Name of the schema; {@link recordVersion} says which one. */
export const recordSchema = "streamgauge/result";

/**
 * The version that is written. Raised whenever a reader of the previous version would misread a
 * record, or could not tell one that lacks something from one that was made before it was kept.
 */
export const recordVersion = 4;

/**
 * The versions that {@link parseRecord} reads. Version 3 names neither its claims nor all that was
 * planned. No version before it was released.
 */
const readVersions: readonly ResultRecord["version"][] = [3, recordVersion];

/** One run of the bench. */
export interface ResultRecord extends RecordMeasurements {
  readonly schema: typeof recordSchema;
  /** {@link recordVersion} in new ones; 3 in those from before records named their claims. */
  readonly version: 3 | typeof recordVersion;
  readonly runId: string;
  /** `running` in a record that was left behind by a crash. */
  readonly status: "running" | "complete" | "interrupted";
  /** Name of the profile: which cells, how many blocks. */
  readonly profile: string;
  /** Draws the order within the blocks; also the seed of every generation. */
  readonly seed: number;
  /** What was to be measured, for whoever continues it. */
  readonly plan: RunPlan;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while running. */
  readonly endedAt: string | null;
  /** Where several machines measured: that of the first, with the worst of what disturbed any. */
  readonly environment: Environment;
  readonly instrument: Instrument;
  /** Who measured which process; only where other machines than the bench's own did. */
  readonly machines?: readonly MeasuringMachine[];
  readonly generators: readonly GeneratorDescription[];
  readonly cells: readonly Cell[];
  /** Measurements beside the cells that failed, and why. */
  readonly failedMeasurements?: readonly FailedMeasurement[];
  /** What the claims say that it is judged by; absent before version 4. */
  readonly claimList?: ClaimList;
  readonly claims: readonly ClaimResult[];
  /** What the bench made of delays that were known; only in calibrations. */
  readonly calibration?: readonly CalibrationPoint[];
  /** Endpoints against each other; only where two were measured. */
  readonly endpoints?: readonly EndpointComparison[];
  /** What several machines of one class say together; only where several measured. */
  readonly machineComparisons?: readonly MachineComparison[];
  /** What each number of this record means. */
  readonly definitions: readonly Definition[];
}

/** A record that this version cannot read. */
export class InvalidRecordError extends Error {
  override readonly name = "InvalidRecordError";
  readonly code = "INVALID_RECORD";
}

/**
 * Checks that a parsed JSON value is a record of this version, down to
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
  if (!readVersions.some((version) => version === json["version"])) {
    throw new InvalidRecordError(
      `The record has version ${shownJson(json["version"])}, and this streamgauge reads versions ` +
        `${readVersions.join(" and ")}. Read it with the streamgauge that wrote it, or run the bench again.`,
    );
  }
  requireBlocks(json["cells"]);
  try {
    checkRecord(json, "record");
    requireStory(json);
    return json;
  } catch (cause) {
    if (!(cause instanceof MismatchError)) throw cause;
    throw new InvalidRecordError(
      `The record is damaged: ${cause.message} Run the bench again, or take an intact copy.`,
      { cause },
    );
  }
}

/** What only records of version 3 may lack. */
function requireStory({ version, claimList: list, plan }: ResultRecord): void {
  if (version < recordVersion) return;
  const expected = `there in a record of version ${version}`;
  if (list === undefined) throw new MismatchError("record.claimList", expected);
  for (const field of ["cells", "measurements", "added"] as const) {
    if (plan[field] === undefined) throw new MismatchError(`record.plan.${field}`, expected);
  }
}

/** A record's file leaves out blocks; that is no damage. */
function requireBlocks(cells: unknown): void {
  if (!Array.isArray(cells)) return;
  const leftOut: unknown = cells.find(
    (one: unknown) => isObject(one) && one["blocks"] === undefined && isObject(one["rawSamples"]),
  );
  if (!isObject(leftOut)) return;
  throw new InvalidRecordError(
    `The blocks of the cell ${shownJson(leftOut["id"])} are not in the record's file but in the raw samples beside it. ` +
      `Read the file with \`readRecordFile\` of @streamgauge/bench/record-file, which restores them.`,
  );
}

const checkRecord: Check<ResultRecord> = object({
  schema: oneOf(recordSchema),
  version: oneOf(...readVersions),
  runId: string,
  status: oneOf("running", "complete", "interrupted"),
  profile: string,
  seed: number,
  plan: runPlan,
  startedAt: string,
  endedAt: nullable(string),
  environment,
  instrument,
  machines: optional(array(measuringMachine)),
  generators: array(generatorDescription),
  cells: array(cell),
  ...measurementsShape,
  failedMeasurements: optional(array(failedMeasurement)),
  claimList: optional(claimList),
  claims: array(claimResult),
  calibration: optional(array(calibrationPoint)),
  endpoints: optional(array(endpointComparison)),
  machineComparisons: optional(array(machineComparison)),
  definitions: array(definition),
});
