import {
  environment,
  instrument,
  type Environment,
  type Instrument,
} from "../../record/environment.js";
import { MismatchError, type Check } from "../../record/shape.js";

/** Whether a record would take it; for what another machine says of itself. */
export function isEnvironment(value: unknown): value is Environment {
  return passes(environment, value);
}

/** See {@link isEnvironment}. */
export function isInstrument(value: unknown): value is Instrument {
  return passes(instrument, value);
}

function passes<T>(check: Check<T>, value: unknown): boolean {
  const run: (value: unknown, path: string) => void = check;
  try {
    run(value, "it");
    return true;
  } catch (error) {
    if (error instanceof MismatchError) return false;
    throw error;
  }
}
