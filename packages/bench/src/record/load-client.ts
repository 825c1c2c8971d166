import { number, object, string, type Check } from "./shape.js";

/** A machine that offered a shard of a step. */
export interface LoadClient {
  /** Unique in a step. Made of the machine's name, which it does not show. */
  readonly name: string;
  /** What its owner calls its kind. */
  readonly label: string;
  readonly cpuModel: string;
  readonly logicalCores: number;
  readonly nodeVersion: string;
  /** Clock of the Redis server − clock of the machine, in whole milliseconds. */
  readonly clockOffsetMilliseconds: number;
  /**
   * The step began on the machine at most so long before or after its moment on the server's clock:
   * half of the quickest of several round trips, and the resolution of the server's clock.
   */
  readonly startUncertaintyNanoseconds: number;
}

/** Checks a {@link LoadClient}. */
export const loadClient: Check<LoadClient> = object({
  name: string,
  label: string,
  cpuModel: string,
  logicalCores: number,
  nodeVersion: string,
  clockOffsetMilliseconds: number,
  startUncertaintyNanoseconds: number,
});
