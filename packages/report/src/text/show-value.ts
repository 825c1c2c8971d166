import type { Interval, Value } from "@streamgauge/bench/tables";
import { duration, mebibytes, oneDecimal, ratio, wholeBytes } from "./numbers.js";

/** A value of a table as documents show it: with its unit, intervals in words. */
export function showValue(value: Value): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  switch (value.kind) {
    case "count":
      return String(value.count);
    case "decimal":
      return value.digits === 1 ? oneDecimal(value.value) : value.value.toFixed(value.digits);
    case "tokensPerSecond":
      return value.value.toFixed(1);
    case "percent":
      return `${fixed(value.fraction * 100, value.digits)} %`;
    case "ratio":
      return ratio(value.value);
    case "duration":
    case "milliseconds":
      return duration(value.nanoseconds);
    case "memory":
      return mebibytes(value.bytes);
    case "bytes":
      return wholeBytes(value.bytes);
    case "cpuTime":
      return ratio(value.microseconds);
    case "percentEstimate":
      return percentWithInterval(value.estimate, value.digits ?? 1);
    case "decimalEstimate":
      return `${oneDecimal(value.estimate.value)} ${interval(value.estimate, oneDecimal)}`;
    case "ratioEstimate":
      return `${ratio(value.estimate.value)} ${interval(value.estimate, ratio)}`;
    case "percentRange":
      return `${fixed(value.lower * 100, value.digits)} to ${fixed(value.upper * 100, value.digits)} %`;
    case "decimalRange":
      return `${oneDecimal(value.lower)} to ${oneDecimal(value.upper)}`;
    case "ratioRange":
      return `${ratio(value.lower)} to ${ratio(value.upper)} (range)`;
    case "verdict":
      return value.verdict;
    case "several":
      return value.values.map(showValue).join(" / ");
    case "phrase":
      return value.values.map(showValue).join("");
    default:
      return value satisfies never;
  }
}

function percentWithInterval(estimate: Interval, digits: 1 | 2): string {
  const show = (fraction: number): string => fixed(fraction * 100, digits);
  return `${show(estimate.value)} % ${interval(estimate, show)}`;
}

function interval(
  { interval95: { lower, upper } }: Interval,
  show: (bound: number) => string,
): string {
  return `(${show(lower)} to ${show(upper)})`;
}

function fixed(value: number, digits: number): string {
  return digits === 1 ? oneDecimal(value) : value.toFixed(digits);
}
