import {
  estimates,
  valueWithInterval,
  type Estimates,
  type ValueWithInterval,
} from "./estimates.js";
import { boolean, number, object, string, type Check } from "./shape.js";
import { streamedTreatment } from "./treatment.js";
import type { Verdict } from "./verdict.js";

/**
 * What the bench made of one known delay: its estimate from all blocks, and the
 * verdicts of many small experiments made of consecutive blocks of every process. The verdicts
 * over all delays are the bench's operating characteristic.
 */
export interface CalibrationPoint {
  readonly cell: string;
  readonly treatment: "stream" | "streamAsync";
  readonly injectedFraction: number;
  readonly overhead: Estimates;
  /** Less what streaming costs where nothing is injected. */
  readonly net: NetOverhead;
  /**
   * Whether both net estimates are within 0.01 of what was injected, or their
   * 95 % intervals hold it.
   */
  readonly recovered: boolean;
  /** Of the claim that the small experiments decided. */
  readonly limit: number;
  readonly blocksPerExperiment: number;
  /** Experiments by verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** An overhead less another, by both estimators. */
export interface NetOverhead {
  readonly hodgesLehmann: ValueWithInterval;
  readonly mean: ValueWithInterval;
}

/** Checks a {@link CalibrationPoint}. */
export const calibrationPoint: Check<CalibrationPoint> = object({
  cell: string,
  treatment: streamedTreatment,
  injectedFraction: number,
  overhead: estimates,
  net: object({ hodgesLehmann: valueWithInterval, mean: valueWithInterval }),
  recovered: boolean,
  limit: number,
  blocksPerExperiment: number,
  verdicts: object({ upheld: number, refuted: number, inconclusive: number, void: number }),
});
