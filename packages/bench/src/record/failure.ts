import { object, string, type Check, type Shape } from "./shape.js";

/** Why something could not be measured. */
export interface Failure {
  /** Of the error. */
  readonly code: string;
  readonly message: string;
}

/** A measurement that failed; the others went on. */
export interface FailedMeasurement extends Failure {
  /** As in {@link RunPlan.measured}. */
  readonly id: string;
}

/** The checks of a {@link Failure}. */
export const failureShape: Shape<Failure> = { code: string, message: string };

/** Checks a {@link FailedMeasurement}. */
export const failedMeasurement: Check<FailedMeasurement> = object({ id: string, ...failureShape });
