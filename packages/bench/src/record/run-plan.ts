import { recordedEndpoint, type RecordedEndpoint } from "./endpoint.js";
import { cellIdentityShape, type CellIdentity } from "./identity.js";
import {
  array,
  dictionary,
  nullable,
  number,
  object,
  optional,
  string,
  type Check,
} from "./shape.js";

/** What a run was asked for, beside its profile and seed. */
export interface RunPlan {
  /** Names, where not all of the profile's. */
  readonly scenarios: readonly string[] | null;
  readonly tokens: readonly number[] | null;
  readonly blocks: number | null;
  readonly model: string | null;
  /** Which of the model folder's graphs; absent where none was asked for. */
  readonly dtype?: string;
  /** Which commit the model of a hub was when the run began; absent for all others. */
  readonly modelCommit?: string;
  readonly timeBudgetMinutes: number | null;
  /** Kinds of profiles that were asked for. */
  readonly profiles: readonly string[];
  /** When verdicts are looked for; one look in a single process. */
  readonly looks: readonly Look[];
  /** Measurements that are done, by id: those that are no cells. */
  readonly measured: readonly string[];
  /** All cells that a whole run has; absent in records before version 4, as are the next two. */
  readonly cells?: readonly PlannedCell[];
  /** All measurements beside the cells that a whole run has. */
  readonly measurements?: readonly PlannedMeasurement[];
  /** What each of {@link measured} put into the record, in the same order. */
  readonly added?: readonly AddedEntries[];
  /** Where an endpoint was measured instead of scenarios. */
  readonly endpoint?: RecordedEndpoint;
}

/** A cell that is to be measured. */
export interface PlannedCell extends CellIdentity {
  /** In a process, where the run does not choose others by what it sees. */
  readonly blocks: number;
  /** That measure it at most; fewer where a look decides all that is claimed of it. */
  readonly processes: number;
}

/** A measurement beside the cells that is to be made. */
export interface PlannedMeasurement {
  /** As in {@link RunPlan.measured}. */
  readonly id: string;
  /** What it is to be judged by. */
  readonly promises: readonly MeasurementPromise[];
}

/** A ratio that a measurement claims to be below a limit. */
export interface MeasurementPromise {
  /** The transport or contender. */
  readonly of: string;
  readonly against: string;
  /** That one once more; null where there is none. */
  readonly control: string | null;
  readonly limit: number;
}

/** Entries that a measurement added, by the field of the record: `{ "profiles": 1 }`. */
export interface AddedEntries {
  /** As in {@link RunPlan.measured}. */
  readonly id: string;
  readonly entries: Readonly<Record<string, number>>;
}

/** A planned look at the data. */
export interface Look {
  /** Processes that are done when it comes. */
  readonly processes: number;
  /** One-sided level of its bounds: 0.05 where there is only one look. */
  readonly tail: number;
}

/** Checks a {@link Look}. */
export const look: Check<Look> = object({ processes: number, tail: number });

/** Checks a {@link MeasurementPromise}. */
const measurementPromise: Check<MeasurementPromise> = object({
  of: string,
  against: string,
  control: nullable(string),
  limit: number,
});

/** Checks a {@link RunPlan}. */
export const runPlan: Check<RunPlan> = object({
  scenarios: nullable(array(string)),
  tokens: nullable(array(number)),
  blocks: nullable(number),
  model: nullable(string),
  dtype: optional(string),
  modelCommit: optional(string),
  timeBudgetMinutes: nullable(number),
  profiles: array(string),
  looks: array(look),
  measured: array(string),
  cells: optional(array(object({ ...cellIdentityShape, blocks: number, processes: number }))),
  measurements: optional(array(object({ id: string, promises: array(measurementPromise) }))),
  added: optional(array(object({ id: string, entries: dictionary(number) }))),
  endpoint: optional(recordedEndpoint),
});
