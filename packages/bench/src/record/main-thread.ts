import type { Definition } from "./definition.js";
import { measuredModeShape, type MeasuredMode } from "./identity.js";
import { nullable, number, object, type Check } from "./shape.js";

/** How free the consuming thread is while tokens arrive. */
export interface MainThreadMeasurement extends MeasuredMode {
  readonly generations: number;
  readonly durationNanoseconds: number;
  readonly throughputTokensPerSecond: number;
  /** 0 to 1, over the whole measurement. */
  readonly eventLoopUtilization: number;
  readonly timer: {
    readonly periodMilliseconds: number;
    readonly fires: number;
    /** Fires there would be if each came exactly on time. */
    readonly expectedFires: number;
    /** The three are null when it never fired. */
    readonly p50LatenessNanoseconds: number | null;
    readonly p99LatenessNanoseconds: number | null;
    readonly maximumLatenessNanoseconds: number | null;
  };
}

/** Checks a {@link MainThreadMeasurement}. */
export const mainThreadMeasurement: Check<MainThreadMeasurement> = object({
  ...measuredModeShape,
  generations: number,
  durationNanoseconds: number,
  throughputTokensPerSecond: number,
  eventLoopUtilization: number,
  timer: object({
    periodMilliseconds: number,
    fires: number,
    expectedFires: number,
    p50LatenessNanoseconds: nullable(number),
    p99LatenessNanoseconds: nullable(number),
    maximumLatenessNanoseconds: nullable(number),
  }),
});

/** What the numbers of a {@link MainThreadMeasurement} mean. */
export const mainThreadDefinitions: readonly Definition[] = [
  {
    metric: "timer lateness",
    formula: "fired − (armed + period), of a timer armed again each time it fires",
  },
];
