import { array, assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hodgesLehmann,
  hodgesLehmannBounds,
  isEquivalent,
  meanBounds,
  meanEstimate,
  median,
  percentile,
  smallestDetectableEffect,
  standardDeviation,
  trend,
  walshAverages,
} from "../src/statistics/index.js";

/** Hamilton depression scale, before − after: Hollander and Wolfe 1973, table 3.1. */
const depression = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01];

/** Extra hours of sleep: Student 1908, "The probable error of a mean", p. 20. */
const sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];

const samples = array(double({ min: -10, max: 10, noNaN: true }), {
  minLength: 6,
  maxLength: 40,
});

/** Width of the interval of so many evenly spread samples. */
function width(count: number): number {
  const values = Array.from({ length: count }, (_, index) => (index + 0.5) / count);
  const { lower, upper } = hodgesLehmann(values).interval95;
  return upper - lower;
}

describe("hodgesLehmann", () => {
  it("gives Hollander and Wolfe's estimate and interval", () => {
    const { value, interval95, bounds95 } = hodgesLehmann(depression);
    expect(value).toBeCloseTo(0.46, 12);
    // R's wilcox.test(x, y, paired = TRUE, conf.int = TRUE) prints the same.
    expect(interval95.lower).toBeCloseTo(0.01, 12);
    expect(interval95.upper).toBeCloseTo(0.786, 12);
    // Walsh averages of ranks 9 and 37, computed with SciPy 1.17.
    expect(bounds95.lower).toBeCloseTo(0.175, 12);
    expect(bounds95.upper).toBeCloseTo(0.726, 12);
  });

  it("takes the extremes of six samples, the fewest with an interval", () => {
    const { interval95 } = hodgesLehmann([3, 1, 2, 6, 5, 4]);
    expect(interval95).toEqual({ lower: 1, upper: 6 });
    expect(() => hodgesLehmann([1, 2, 3, 4, 5])).toThrow(RangeError);
  });

  it("moves with the samples and turns with their sign", () => {
    assert(
      property(samples, double({ min: -5, max: 5, noNaN: true }), (values, shift) => {
        const plain = hodgesLehmann(values);
        const moved = hodgesLehmann(values.map((value) => value + shift));
        const turned = hodgesLehmann(values.map((value) => -value));
        expect(moved.value).toBeCloseTo(plain.value + shift, 9);
        expect(moved.interval95.lower).toBeCloseTo(plain.interval95.lower + shift, 9);
        expect(turned.value).toBeCloseTo(-plain.value, 9);
        expect(turned.interval95.lower).toBeCloseTo(-plain.interval95.upper, 9);
      }),
    );
  });

  it("nests its intervals around the estimate and within the samples", () => {
    assert(
      property(samples, (values) => {
        const { value, interval95, bounds95 } = hodgesLehmann(values);
        const ordered = [
          Math.min(...values),
          interval95.lower,
          bounds95.lower,
          value,
          bounds95.upper,
          interval95.upper,
          Math.max(...values),
        ];
        expect(ordered).toEqual(ordered.toSorted((first, second) => first - second));
      }),
    );
  });

  it("does not jump where the exact quantile ends", () => {
    expect(width(101) / width(100)).toBeCloseTo(Math.sqrt(100 / 101), 2);
  });

  it("shrugs off one stall that the mean sees", () => {
    const quiet = Array.from({ length: 20 }, (_, index) => (index % 5) / 1000);
    const stalled = [...quiet.slice(1), 10];
    expect(hodgesLehmann(stalled).value).toBeLessThan(0.005);
    expect(meanEstimate(stalled).value).toBeGreaterThan(0.4);
  });
});

describe("meanEstimate", () => {
  // R's t.test(extra ~ group, paired = TRUE): 0.7001142, 2.4598858.
  const student = { lower: 0.7001142, upper: 2.4598858 };

  it("gives Student's sleep interval where it is the wider one", () => {
    const { value, interval95 } = meanEstimate(sleep);
    expect(value).toBeCloseTo(1.58, 12);
    expect(interval95.lower).toBeCloseTo(student.lower, 6);
    expect(standardDeviation(sleep)).toBeCloseTo(1.229995, 6);
    const symmetric = [-3, -2, -1, 1, 2, 3];
    const { lower, upper } = meanEstimate(symmetric).interval95;
    expect(upper).toBeCloseTo(2.5706 * (standardDeviation(symmetric) / Math.sqrt(6)), 3);
    expect(lower).toBeCloseTo(-upper, 12);
  });

  it("reaches farther on the side of the long tail, as Hall's transformation says", () => {
    const { value, interval95 } = meanEstimate(sleep);
    expect(interval95.upper).toBeGreaterThan(student.upper);
    const center = sleep.reduce((sum, next) => sum + next, 0) / 10;
    const moment = (power: number): number =>
      sleep.reduce((sum, next) => sum + (next - center) ** power, 0) / 10;
    const skewness = moment(3) / moment(2) ** 1.5 / Math.sqrt(10);
    const w = (value - interval95.upper) / (standardDeviation(sleep) / Math.sqrt(10));
    const transformed = w + (skewness * w ** 2) / 3 + (skewness ** 2 * w ** 3) / 27 + skewness / 6;
    // t.975 of 9 degrees of freedom.
    expect(transformed).toBeCloseTo(-2.26216, 4);
  });

  it("turns over with the samples", () => {
    const { lower, upper } = meanEstimate(sleep).interval95;
    const turned = meanEstimate(sleep.map((value) => -value)).interval95;
    expect(turned.lower).toBeCloseTo(-upper, 9);
    expect(turned.upper).toBeCloseTo(-lower, 9);
  });
});

describe("hodgesLehmannBounds", () => {
  it.each([
    // Largest W that is significant, one-sided: Wilcoxon and Wilcox 1964, "Some Rapid Approximate
    // Statistical Procedures", table 2 (also McCornack 1965).
    [8, 0.025, 3],
    [10, 0.05, 10],
    [10, 0.025, 8],
    [15, 0.025, 25],
    [15, 0.005, 15],
    [20, 0.05, 60],
    [25, 0.025, 89],
    [30, 0.005, 109],
    [50, 0.025, 434],
  ])(
    "leaves out as many Walsh averages of %d samples at %d as the table says",
    (count, tail, w) => {
      const values = Array.from({ length: count }, (_, index) => 1.1 ** index);
      const { lower, upper } = hodgesLehmannBounds(values, tail);
      const averages = [...walshAverages(values)];
      expect(averages.indexOf(lower)).toBe(w);
      expect(averages.toReversed().indexOf(upper)).toBe(w);
    },
  );

  it("is infinite where nothing can be excluded", () => {
    expect(hodgesLehmannBounds([1, 2, 3, 4], 0.05)).toEqual({ lower: -Infinity, upper: Infinity });
    expect(hodgesLehmannBounds([1, 2, 3, 4, 5], 0.05)).toEqual({ lower: 1, upper: 5 });
  });
});

describe("meanBounds", () => {
  it.each([
    // Student's t: Fisher and Yates 1963, "Statistical Tables", table III.
    [2, 0.025, 12.706],
    [6, 0.05, 2.015],
    [6, 0.005, 4.032],
    [11, 0.025, 2.228],
    [31, 0.025, 2.042],
    [121, 0.05, 1.658],
  ])("reaches so many standard errors: %d samples at %d, %d", (count, tail, reach) => {
    // Half up, half down, the odd one in the middle: mean 0.
    const values = Array.from({ length: count }, (_, index) => {
      if (count % 2 === 1 && index === count - 1) return 0;
      return index % 2 === 0 ? 1 : -1;
    });
    const standardError = standardDeviation(values) / Math.sqrt(count);
    const { lower, upper } = meanBounds(values, tail);
    expect(upper / standardError).toBeCloseTo(reach, 3);
    expect(lower / standardError).toBeCloseTo(-reach, 3);
  });
});

describe("isEquivalent", () => {
  const estimate = meanEstimate(sleep);
  it("asks for the whole 90 % interval, not for the estimate", () => {
    const { lower, upper } = estimate.bounds95;
    expect(isEquivalent(estimate, { lower: lower - 0.01, upper: upper + 0.01 })).toBe(true);
    expect(isEquivalent(estimate, { lower, upper: upper + 0.01 })).toBe(false);
    expect(isEquivalent(estimate, { lower: lower - 0.01, upper })).toBe(false);
  });
});

describe("smallestDetectableEffect", () => {
  it("is (t.95 + t.90) · s / √n", () => {
    // t quantiles of 9 degrees of freedom from any table: 1.833, 1.383.
    const expected = ((1.833 + 1.383) * standardDeviation(sleep)) / Math.sqrt(10);
    expect(smallestDetectableEffect(sleep)).toBeCloseTo(expected, 3);
  });
});

describe("median and percentile", () => {
  it("give the middle, and values that were measured", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 50)).toBe(50);
    expect(percentile(hundred, 99)).toBe(99);
    expect(percentile(hundred, 100)).toBe(100);
    expect(percentile([7], 1)).toBe(7);
    // 99.9 / 100 · 1000 is a hair above 999.
    const thousand = Array.from({ length: 1000 }, (_, index) => index + 1);
    expect(percentile(thousand, 99.9)).toBe(999);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("trend", () => {
  it("counts pairs that rise and fall", () => {
    expect(trend([1, 2, 3, 4, 5])).toBe(10);
    expect(trend([5, 4, 3, 2, 1])).toBe(-10);
    expect(trend([1, 1, 1])).toBe(0);
    expect(trend([2, 1, 3])).toBe(1);
  });
});
