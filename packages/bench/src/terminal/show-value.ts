import { createColors } from "picocolors";
import type { Interval, Quantity, Value } from "../tables/value.js";

/** A value of a table as a terminal shows it: briefly, without units that its column has. */
export function showValue(value: Value, color: boolean): string {
  if (value === null) return "-";
  return typeof value === "string" ? value : showQuantity(value, color);
}

function showQuantity(quantity: Quantity, color: boolean): string {
  switch (quantity.kind) {
    case "count":
      return String(quantity.count);
    case "decimal":
      return fixed(quantity.value, quantity.digits);
    case "tokensPerSecond":
      return quantity.value.toFixed(0);
    case "percent":
      return `${fixed(quantity.fraction * 100, quantity.digits)} %`;
    case "ratio":
      return threeDigits(quantity.value);
    case "duration":
      return quantity.nanoseconds >= 1e6
        ? `${(quantity.nanoseconds / 1e6).toFixed(2)} ms`
        : `${fixed(quantity.nanoseconds / 1e3, 1)} µs`;
    case "milliseconds":
      return `${(quantity.nanoseconds / 1e6).toFixed(2)} ms`;
    case "memory":
      return (quantity.bytes / 2 ** 20).toFixed(0);
    case "bytes":
      return quantity.bytes.toFixed(0);
    case "cpuTime":
      return quantity.microseconds.toFixed(2);
    case "percentEstimate":
      return withInterval(
        quantity.estimate,
        (fraction) => fixed(fraction * 100, quantity.digits ?? 1),
        " %",
      );
    case "decimalEstimate":
      return withInterval(quantity.estimate, (value) => fixed(value, 1));
    case "ratioEstimate":
      return withInterval(quantity.estimate, threeDigits);
    case "percentRange": {
      const { lower, upper, digits } = quantity;
      return `${fixed(lower * 100, digits)} to ${fixed(upper * 100, digits)} %`;
    }
    case "decimalRange":
      return `${fixed(quantity.lower, 1)} to ${fixed(quantity.upper, 1)}`;
    case "ratioRange":
      return `${threeDigits(quantity.lower)} to ${threeDigits(quantity.upper)}`;
    case "verdict":
      return colored(quantity.verdict, color);
    case "several":
      return quantity.values.map((value) => showValue(value, color)).join(" / ");
    case "phrase":
      return quantity.values.map((value) => showValue(value, color)).join("");
    default:
      return quantity satisfies never;
  }
}

function withInterval(
  { value, interval95: { lower, upper } }: Interval,
  show: (value: number) => string,
  unit = "",
): string {
  return `${show(value)}${unit} [${show(lower)}, ${show(upper)}]`;
}

/** Without the sign of a zero. */
function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}

/** Three significant digits, and all of those before the point. */
function threeDigits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function colored(
  verdict: Extract<Quantity, { kind: "verdict" }>["verdict"],
  color: boolean,
): string {
  const colors = createColors(color);
  switch (verdict) {
    case "upheld":
      return colors.green(verdict);
    case "refuted":
      return colors.red(verdict);
    case "inconclusive":
    case "void":
      return colors.yellow(verdict);
    default:
      return verdict satisfies never;
  }
}
