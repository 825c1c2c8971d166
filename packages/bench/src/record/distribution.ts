import { number, object, oneOf, string, type Check, type Shape } from "./shape.js";
import { treatment, type Treatment } from "./treatment.js";

/** A distribution of nanoseconds, as an HDR histogram of three significant digits. */
export interface LatencySummary {
  readonly count: number;
  readonly meanNanoseconds: number;
  readonly minimumNanoseconds: number;
  readonly p50Nanoseconds: number;
  readonly p90Nanoseconds: number;
  readonly p99Nanoseconds: number;
  readonly p999Nanoseconds: number;
  readonly maximumNanoseconds: number;
  /** HdrHistogram V2, compressed, base64. Histograms merge by addition. */
  readonly histogram: string;
}

/** `callbackTime` only in cells whose callback does something. */
export type DistributionMetric =
  | "timeToFirstToken"
  | "interTokenLatency"
  | "deliveryLatency"
  | "callbackTime";

/** One metric of one treatment of a cell. */
export interface Distribution extends LatencySummary {
  readonly treatment: Treatment;
  readonly metric: DistributionMetric;
}

const summaryShape: Shape<LatencySummary> = {
  count: number,
  meanNanoseconds: number,
  minimumNanoseconds: number,
  p50Nanoseconds: number,
  p90Nanoseconds: number,
  p99Nanoseconds: number,
  p999Nanoseconds: number,
  maximumNanoseconds: number,
  histogram: string,
};

/** Checks a {@link LatencySummary}. */
export const latencySummary: Check<LatencySummary> = object(summaryShape);

/** Checks a {@link Distribution}. */
export const distribution: Check<Distribution> = object({
  ...summaryShape,
  treatment,
  metric: oneOf("timeToFirstToken", "interTokenLatency", "deliveryLatency", "callbackTime"),
});
