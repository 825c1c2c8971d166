import { environment, type Environment } from "./environment.js";
import { array, number, object, string, type Check } from "./shape.js";

/** One of the machines that measured a run between them; all are of one class. */
export interface MeasuringMachine {
  /** Unique in a record. Made of the machine's name, which it does not show. */
  readonly name: string;
  /** What its owner calls its kind. */
  readonly label: string;
  /** {@link Block.process} of what it measured, ascending. */
  readonly processes: readonly number[];
  /** As it was while it measured the first of them. */
  readonly environment: Environment;
}

/** Checks a {@link MeasuringMachine}. */
export const measuringMachine: Check<MeasuringMachine> = object({
  name: string,
  label: string,
  processes: array(number),
  environment,
});
