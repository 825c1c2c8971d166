import type { Interval, ValueWithInterval } from "./estimates.js";

/**
 * An overhead less another that was measured apart: the ratio of two ratios, less
 * one. On the scale of logarithms the half-widths add as independent errors do.
 */
export function lessOverhead(whole: ValueWithInterval, own: ValueWithInterval): ValueWithInterval {
  const value = Math.log1p(whole.value) - Math.log1p(own.value);
  const side = (bound: keyof Interval, other: keyof Interval): number =>
    Math.hypot(
      Math.log1p(whole.interval95[bound]) - Math.log1p(whole.value),
      Math.log1p(own.interval95[other]) - Math.log1p(own.value),
    );
  return {
    value: Math.expm1(value),
    interval95: {
      lower: Math.expm1(value - side("lower", "upper")),
      upper: Math.expm1(value + side("upper", "lower")),
    },
  };
}
