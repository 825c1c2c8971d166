import { object, string, type Check } from "./shape.js";

/** What a number means. */
export interface Definition {
  /** Unique in a record. */
  readonly metric: string;
  readonly formula: string;
}

/** Checks a {@link Definition}. */
export const definition: Check<Definition> = object({ metric: string, formula: string });
