import { recordedEndpoint, type RecordedEndpoint } from "./endpoint.js";
import { array, nullable, number, object, optional, string, type Check } from "./shape.js";

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
  /** Where an endpoint was measured instead of scenarios. */
  readonly endpoint?: RecordedEndpoint;
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

/** Checks a {@link RunPlan}. */
export const runPlan: Check<RunPlan> = object({
  scenarios: nullable(array(string)),
  tokens: nullable(array(number)),
  blocks: nullable(number),
  model: nullable(string),
  timeBudgetMinutes: nullable(number),
  profiles: array(string),
  looks: array(look),
  measured: array(string),
  endpoint: optional(recordedEndpoint),
});
