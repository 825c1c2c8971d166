import type { Estimate } from "@streamgauge/bench/record";

/** `0.0123` as `1.2 %`. */
export function percent(fraction: number): string {
  return `${oneDecimal(fraction * 100)} %`;
}

/** A fraction with its 95 % interval: `1.2 % (0.9 to 1.6)`. */
export function percentWithInterval({
  value,
  interval95,
}: Pick<Estimate, "value" | "interval95">): string {
  const { lower, upper } = interval95;
  return `${percent(value)} (${oneDecimal(lower * 100)} to ${oneDecimal(upper * 100)})`;
}

/** A fraction with its 90 % interval, to two places: `0.12 % (-0.31 to 0.55)`. */
export function percentWithBounds({ value, bounds95: { lower, upper } }: Estimate): string {
  const [shown, from, to] = [value, lower, upper].map((fraction) => (fraction * 100).toFixed(2));
  return `${shown} % (${from} to ${to})`;
}

/** A number with its 95 % interval: `12.3 (10.9 to 13.6)`. */
export function withInterval({ value, interval95 }: Estimate): string {
  return `${oneDecimal(value)} (${oneDecimal(interval95.lower)} to ${oneDecimal(interval95.upper)})`;
}

/** In milliseconds from one on, in microseconds below; `–` for what there is not. */
export function duration(nanoseconds: number | null): string {
  if (nanoseconds === null) return "–";
  return nanoseconds >= 1e6
    ? `${(nanoseconds / 1e6).toFixed(2)} ms`
    : `${(nanoseconds / 1e3).toFixed(1)} µs`;
}

/** In whole bytes. */
export function wholeBytes(count: number): string {
  return `${count.toFixed(0)} B`;
}

/** In binary megabytes. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Without the sign of a zero. */
export function oneDecimal(value: number): string {
  return decimals(value, 1);
}

/** With so many digits after the point, without the sign of a zero. */
export function decimals(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** Three significant digits, and all of those before the point. */
export function ratio(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A ratio, or another small number, with its 95 % interval: `0.129 (0.117 to 0.149)`. */
export function ratioWithInterval({ value, interval95 }: Estimate): string {
  return `${ratio(value)} (${ratio(interval95.lower)} to ${ratio(interval95.upper)})`;
}
