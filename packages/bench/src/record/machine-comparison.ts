import type { Comparison } from "./analysis.js";
import { estimate, type Estimate } from "./estimates.js";
import { number, object, string, type Check } from "./shape.js";
import { comparedTreatment } from "./treatment.js";

/** A treatment against `generate` over the machines of a run: machines are the samples. */
export interface MachineComparison {
  /** Id of the cell. */
  readonly cell: string;
  readonly treatment: Comparison["treatment"];
  /** That measured the cell. */
  readonly machines: number;
  /** A fraction: the mean over machines, and an interval about any machine of their class. */
  readonly overhead: Estimate;
  /** Of the log-ratios, at each level without what the levels below it add. */
  readonly standardDeviations: {
    readonly machines: number;
    readonly processes: number;
    readonly blocks: number;
  };
}

/** Checks a {@link MachineComparison}. */
export const machineComparison: Check<MachineComparison> = object({
  cell: string,
  treatment: comparedTreatment,
  machines: number,
  overhead: estimate,
  standardDeviations: object({ machines: number, processes: number, blocks: number }),
});
