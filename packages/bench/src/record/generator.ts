import { cellIdentityShape, type CellIdentity } from "./identity.js";
import { anything, number, object, pick, string, type Check } from "./shape.js";

/** One generator under measurement, in its own words. */
export interface GeneratorDescription extends Pick<CellIdentity, "engine" | "model" | "host"> {
  /** Unique in a record. */
  readonly id: string;
  /** From the call that makes it to its readiness. */
  readonly openNanoseconds: number;
  /** What the generator says about itself; JSON. */
  readonly description: unknown;
}

/** Checks a {@link GeneratorDescription}. */
export const generatorDescription: Check<GeneratorDescription> = object({
  id: string,
  ...pick(cellIdentityShape, "engine", "model", "host"),
  openNanoseconds: number,
  description: anything,
});
