import { describe, expect, it } from "vitest";
import { estimateProcesses, meanEstimate, standardDeviation } from "../src/statistics/index.js";
import { autoregression, createDraws } from "./noise-models.js";
import { seed } from "./simulation.js";

function width(processes: readonly (readonly number[])[]): number {
  const { lower, upper } = estimateProcesses(processes).estimates.mean.interval95;
  return upper - lower;
}

function correlated(correlation: number, count: number): number[] {
  return Array.from({ length: count }, autoregression(createDraws(seed), correlation));
}

describe("estimateProcesses", () => {
  const process = [1, 2, 1, 3, 2, 1, 2, 3];

  it("takes the means of eight processes, and what varies within of seven", () => {
    const processes = Array.from({ length: 8 }, (_, index) =>
      process.map((value) => value + index * 10),
    );
    const { level, estimates } = estimateProcesses(processes);
    expect(level).toBe("processes");
    expect(estimates.mean).toEqual(
      meanEstimate(processes.map((values) => values.reduce((a, b) => a + b) / 8)),
    );
    const few = estimateProcesses(processes.slice(1));
    expect(few.level).toBe("within processes");
    // They differ by 10 each; the interval is about these seven.
    expect(width(processes.slice(1))).toBeLessThan(10);
    expect(few.estimates.mean.value).toBeCloseTo(41.875, 9);
  });

  it("is wider the longer blocks stay alike, up to saying nothing", () => {
    const widths = [0, 0.5, 0.8, 0.95].map((correlation) => {
      const values = correlated(correlation, 40);
      return width([values]) / standardDeviation(values);
    });
    expect(widths.toSorted((a, b) => a - b)).toEqual(widths);
    // One change of mode in forty blocks.
    const modes = Array.from({ length: 40 }, (_, index) => (index < 25 ? 0 : 1));
    expect(width([modes])).toBeGreaterThan(4);
  });

  it("widens both estimators, around each process's own mean", () => {
    const values = correlated(0.8, 40);
    const far = [values, values.map((value) => value + 1000)];
    const { hodgesLehmann, mean } = estimateProcesses(far).estimates;
    expect(hodgesLehmann.interval95.upper - hodgesLehmann.interval95.lower).toBeLessThan(20);
    expect(Math.abs(hodgesLehmann.value - mean.value)).toBeLessThan(1);
  });

  it("takes values that do not vary, and processes of one block", () => {
    expect(width([[1, 1, 1, 1, 1, 1]])).toBe(0);
    expect(width([1, 2, 3, 4, 5, 6].map((value) => [value]))).toBeGreaterThan(3);
    expect(() => estimateProcesses([[1, 2, 3, 4, 5]])).toThrow(RangeError);
    expect(() => estimateProcesses([process, []])).toThrow(RangeError);
  });
});
