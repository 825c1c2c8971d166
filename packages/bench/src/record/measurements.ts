/**
 * The registry of measurements beside the cells. A new kind is a line in each of the lists
 * below; a check or definitions that are forgotten do not compile.
 *
 * @module
 */
import type { Definition } from "./definition.js";
import { engineDefinitions, engineMeasurement, type EngineMeasurement } from "./engine.js";
import {
  abortDefinitions,
  abortMeasurement,
  arrivalsDefinitions,
  arrivalsMeasurement,
  slowConsumerDefinitions,
  slowConsumerMeasurement,
  type AbortMeasurement,
  type ArrivalsMeasurement,
  type SlowConsumerMeasurement,
} from "./load.js";
import {
  mainThreadDefinitions,
  mainThreadMeasurement,
  type MainThreadMeasurement,
} from "./main-thread.js";
import { profileDefinitions, profileMeasurement, type ProfileMeasurement } from "./profile.js";
import { array, optional, type Shape } from "./shape.js";
import { stackDefinitions, stackMeasurement, type StackMeasurement } from "./stacks.js";
import { teeDefinitions, teeMeasurement, type TeeMeasurement } from "./tee.js";
import {
  transportDefinitions,
  transportMeasurement,
  type TransportMeasurement,
} from "./transport.js";

export type {
  AbortMeasurement,
  ArrivalsMeasurement,
  EngineMeasurement,
  MainThreadMeasurement,
  ProfileMeasurement,
  SlowConsumerMeasurement,
  StackMeasurement,
  TeeMeasurement,
  TransportMeasurement,
};

/** What a record has beside its cells: a field for each kind. A new one is optional. */
export interface RecordMeasurements {
  readonly mainThread: readonly MainThreadMeasurement[];
  readonly arrivals?: readonly ArrivalsMeasurement[];
  readonly aborts?: readonly AbortMeasurement[];
  readonly slowConsumers?: readonly SlowConsumerMeasurement[];
  readonly tee?: readonly TeeMeasurement[];
  readonly transports?: readonly TransportMeasurement[];
  readonly stacks?: readonly StackMeasurement[];
  readonly engine?: readonly EngineMeasurement[];
  readonly profiles?: readonly ProfileMeasurement[];
}

/** The checks of {@link RecordMeasurements}. */
export const measurementsShape: Shape<RecordMeasurements> = {
  mainThread: array(mainThreadMeasurement),
  arrivals: optional(array(arrivalsMeasurement)),
  aborts: optional(array(abortMeasurement)),
  slowConsumers: optional(array(slowConsumerMeasurement)),
  tee: optional(array(teeMeasurement)),
  transports: optional(array(transportMeasurement)),
  stacks: optional(array(stackMeasurement)),
  engine: optional(array(engineMeasurement)),
  profiles: optional(array(profileMeasurement)),
};

/** What the numbers of each kind mean, in the order in which a record explains them. */
export const measurementDefinitions: Readonly<
  Record<keyof RecordMeasurements, readonly Definition[]>
> = {
  mainThread: mainThreadDefinitions,
  arrivals: arrivalsDefinitions,
  aborts: abortDefinitions,
  slowConsumers: slowConsumerDefinitions,
  tee: teeDefinitions,
  transports: transportDefinitions,
  stacks: stackDefinitions,
  engine: engineDefinitions,
  profiles: profileDefinitions,
};
