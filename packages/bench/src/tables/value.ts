import type { Estimate, Verdict } from "../record/index.js";

/**
 * What is in one place of a table, as data: a writer decides how it looks. A string
 * stands as it is; `""` does not apply, and a column of nothing else is left out;
 * `null` was not measured, and is shown as a dash.
 */
export type Value = string | null | Quantity;

/** A number with what it is a number of. */
export type Quantity =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "decimal"; readonly value: number; readonly digits: number }
  | { readonly kind: "tokensPerSecond"; readonly value: number }
  | { readonly kind: "percent"; readonly fraction: number; readonly digits: 0 | 1 | 2 }
  | { readonly kind: "ratio"; readonly value: number }
  | { readonly kind: "duration"; readonly nanoseconds: number }
  | { readonly kind: "milliseconds"; readonly nanoseconds: number }
  | { readonly kind: "memory"; readonly bytes: number }
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "cpuTime"; readonly microseconds: number }
  | { readonly kind: "percentEstimate"; readonly estimate: Interval; readonly digits?: 1 | 2 }
  | { readonly kind: "decimalEstimate"; readonly estimate: Interval }
  | { readonly kind: "ratioEstimate"; readonly estimate: Interval }
  | {
      readonly kind: "percentRange";
      readonly lower: number;
      readonly upper: number;
      readonly digits: 1 | 2;
    }
  | { readonly kind: "decimalRange"; readonly lower: number; readonly upper: number }
  | { readonly kind: "ratioRange"; readonly lower: number; readonly upper: number }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** Several quantities of one kind that share a column: `12 / 34`. */
  | { readonly kind: "several"; readonly values: readonly Value[] }
  /** Words and the quantities among them, which stand one after the other: a sentence. */
  | { readonly kind: "phrase"; readonly values: readonly Value[] };

/** An estimate with its 95 % interval. */
export type Interval = Pick<Estimate, "value" | "interval95">;

/** A whole number; null where there is none. */
export function count(value: number | null | undefined): Value {
  return value === null || value === undefined ? null : { kind: "count", count: value };
}

/** A number with so many digits after its point. */
export function decimal(value: number, digits = 1): Value {
  return { kind: "decimal", value, digits };
}

/** Output throughput. */
export function tokensPerSecond(value: number | undefined): Value {
  return value === undefined ? null : { kind: "tokensPerSecond", value };
}

/** A fraction, shown in percent. */
export function percent(fraction: number, digits: 0 | 1 | 2 = 1): Value {
  return { kind: "percent", fraction, digits };
}

/** A ratio: three significant digits, and all of those before the point. */
export function ratio(value: number): Value {
  return { kind: "ratio", value };
}

/** In milliseconds from one on, in microseconds below. */
export function duration(nanoseconds: number | null | undefined): Value {
  return nanoseconds === null || nanoseconds === undefined
    ? null
    : { kind: "duration", nanoseconds };
}

/** A duration that a terminal shows in milliseconds, however short it is. */
export function milliseconds(nanoseconds: number | null): Value {
  return nanoseconds === null ? null : { kind: "milliseconds", nanoseconds };
}

/** Bytes, shown in binary megabytes. */
export function memory(size: number): Value {
  return { kind: "memory", bytes: size };
}

/** Whole bytes: what is allocated for a token, not what a process holds. */
export function bytes(value: number | undefined): Value {
  return value === undefined ? null : { kind: "bytes", bytes: value };
}

/** CPU time for each token. */
export function cpuTime(microseconds: number): Value {
  return { kind: "cpuTime", microseconds };
}

/** A fraction with its 95 % interval, in percent; null where there is none. */
export function percentEstimate(estimate: Interval | undefined, digits: 1 | 2 = 1): Value {
  if (estimate === undefined) return null;
  return { kind: "percentEstimate", estimate, ...(digits === 1 ? {} : { digits }) };
}

/** A number with its 95 % interval, one digit after the point; null where there is none. */
export function decimalEstimate(estimate: Interval | undefined): Value {
  return estimate === undefined ? null : { kind: "decimalEstimate", estimate };
}

/** A ratio with its 95 % interval; null where there is none. */
export function ratioEstimate(estimate: Interval | undefined): Value {
  return estimate === undefined ? null : { kind: "ratioEstimate", estimate };
}

/** Values that share a column; `""` where none of them applies. */
export function several(values: readonly (Value | undefined)[]): Value {
  if (values.every((value) => value === undefined || value === "")) return "";
  return { kind: "several", values: values.map((value) => value ?? null) };
}

/** Words and the quantities among them. */
export function phrase(...values: readonly Value[]): Quantity {
  return { kind: "phrase", values };
}

/** An estimate without its interval; any other value as it is. */
export function withoutInterval(value: Value): Value {
  if (value === null || typeof value === "string") return value;
  switch (value.kind) {
    case "percentEstimate":
      return percent(value.estimate.value, value.digits);
    case "decimalEstimate":
      return decimal(value.estimate.value);
    case "ratioEstimate":
      return ratio(value.estimate.value);
    default:
      return value;
  }
}
