import type { Estimate } from "../record/index.js";

/** `0.0123` as `1.2 %`. */
export function percent(fraction: number): string {
  return `${oneDecimal(fraction * 100)} %`;
}

/** `0.0123` as `1.23 %`. */
export function percentOfTwoDecimals(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}

/** The 95 % interval of a fraction: `0.9 to 1.6 %`. */
export function percentRange({ interval95 }: Pick<Estimate, "interval95">): string {
  return `${oneDecimal(interval95.lower * 100)} to ${percent(interval95.upper)}`;
}

/** A fraction with its 95 % interval: `1.2 % [0.9, 1.6]`. */
export function percentWithInterval({
  value,
  interval95: { lower, upper },
}: Pick<Estimate, "value" | "interval95">): string {
  return `${percent(value)} [${oneDecimal(lower * 100)}, ${oneDecimal(upper * 100)}]`;
}

/** A number with its 95 % interval: `12.3 [10.9, 13.6]`. */
export function withInterval({ value, interval95: { lower, upper } }: Estimate): string {
  return `${oneDecimal(value)} [${oneDecimal(lower)}, ${oneDecimal(upper)}]`;
}

/** Without the sign of a zero. */
export function oneDecimal(value: number): string {
  const text = value.toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}

/** `-` for what there is not. */
export function milliseconds(nanoseconds: number | null): string {
  return nanoseconds === null ? "-" : `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

/** In milliseconds from one on, in microseconds below. */
export function duration(nanoseconds: number): string {
  return nanoseconds >= 1e6 ? milliseconds(nanoseconds) : `${oneDecimal(nanoseconds / 1000)} µs`;
}

/** In binary megabytes, without the unit. */
export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

/** Three significant digits, and all of those before the point. */
export function ratio(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A ratio with its 95 % interval: `0.129 [0.117, 0.149]`. */
export function ratioWithInterval({ value, interval95: { lower, upper } }: Estimate): string {
  return `${ratio(value)} [${ratio(lower)}, ${ratio(upper)}]`;
}
