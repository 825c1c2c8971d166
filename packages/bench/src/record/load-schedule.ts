import { array, number, object, oneOf, oneOfKinds, string, type Check } from "./shape.js";

/** A part of a schedule in which the rate changes evenly from one value to another, or stays. */
export interface RateStage {
  /** Arrivals per second at its beginning, ≥ 0. */
  readonly fromPerSecond: number;
  /** Arrivals per second at its end, ≥ 0; the same for a constant rate. */
  readonly toPerSecond: number;
  /** Above 0. */
  readonly seconds: number;
}

/** Arrivals that are drawn from a seed. The stages follow each other without a pause. */
export interface RateSchedule {
  readonly kind: "rate";
  /** An integer from 0 to 2³¹ − 1. */
  readonly seed: number;
  /** `poisson`: of users who know nothing of one another. `constant`: at even distances. */
  readonly arrivals: "poisson" | "constant";
  /** At least one. */
  readonly stages: readonly RateStage[];
}

/** Arrivals at given moments: a trace that is replayed. */
export interface TraceSchedule {
  readonly kind: "trace";
  /** Seed of the prompts' words and of the generations. */
  readonly seed: number;
  /** When each is due, in nanoseconds after the beginning; never less than the one before. */
  readonly dueNanoseconds: readonly number[];
}

/** When requests are due. Plain data: the same on every machine, however many share it. */
export type Schedule = RateSchedule | TraceSchedule;

const rateStage: Check<RateStage> = object({
  fromPerSecond: number,
  toPerSecond: number,
  seconds: number,
});

/** Checks a {@link Schedule}, as far as types go. */
export const schedule: Check<Schedule> = oneOfKinds('"rate" or "trace"', {
  rate: object({
    kind: oneOf("rate"),
    seed: number,
    arrivals: oneOf("poisson", "constant"),
    stages: array(rateStage),
  }),
  trace: object({ kind: oneOf("trace"), seed: number, dueNanoseconds: array(number) }),
});

/** What a record keeps of a trace: its moments are in the raw samples. */
export interface RecordedTrace {
  readonly kind: "trace";
  readonly seed: number;
  readonly arrivals: number;
  /** Of the moments as JSON, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** Checks what a record keeps of a {@link Schedule}. */
export const recordedSchedule: Check<RateSchedule | RecordedTrace> = oneOfKinds(
  '"rate" or "trace"',
  {
    rate: object({
      kind: oneOf("rate"),
      seed: number,
      arrivals: oneOf("poisson", "constant"),
      stages: array(rateStage),
    }),
    trace: object({ kind: oneOf("trace"), seed: number, arrivals: number, sha256: string }),
  },
);
