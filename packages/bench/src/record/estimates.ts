import { number, object, type Check } from "./shape.js";

/** The same quantity by two estimators; a claim is upheld only where both agree. */
export interface Estimates {
  /** Hodges–Lehmann with the exact Wilcoxon signed-rank interval. */
  readonly hodgesLehmann: Estimate;
  /** Mean with Student's t interval: it sees the rare stalls that the other ignores. */
  readonly mean: Estimate;
}

export interface Estimate {
  readonly value: number;
  /** Two-sided, 95 %. */
  readonly interval95: Interval;
  /** The one-sided 95 % bounds, which verdicts use; together a 90 % interval. */
  readonly bounds95: Interval;
}

export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** A value and its 95 % interval. */
export type ValueWithInterval = Pick<Estimate, "value" | "interval95">;

/** Checks an {@link Interval}. */
export const interval: Check<Interval> = object({ lower: number, upper: number });

/** Checks an {@link Estimate}. */
export const estimate: Check<Estimate> = object({
  value: number,
  interval95: interval,
  bounds95: interval,
});

/** Checks {@link Estimates}. */
export const estimates: Check<Estimates> = object({ hodgesLehmann: estimate, mean: estimate });

/** Checks a {@link ValueWithInterval}. */
export const valueWithInterval: Check<ValueWithInterval> = object({
  value: number,
  interval95: interval,
});
