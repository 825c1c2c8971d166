import { constantFrom, array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { sequentialLooks, spentAlpha } from "../src/statistics/index.js";

describe("sequentialLooks", () => {
  it.each([
    // Reboussin, DeMets, Kim and Lan 2000 (program ld98, R package ldbounds): five equal looks,
    // one-sided 2.5 %; their coarser grid is off by up to one in the fourth digit.
    ["obrien-fleming", 0.025, [1, 2, 3, 4, 5], [4.8769, 3.3569, 2.6803, 2.2898, 2.031], 3.5],
    ["pocock", 0.025, [1, 2, 3, 4, 5], [2.438, 2.4268, 2.4101, 2.3966, 2.3859], 3.5],
    // The multivariate normal distribution function of SciPy 1.17.1, solved for each look.
    ["obrien-fleming", 0.05, [1, 2, 3, 4], [3.74955, 2.53994, 2.01607, 1.72018], 4.5],
    ["pocock", 0.05, [1, 2, 3, 4], [2.0999, 2.07671, 2.05317, 2.03477], 4.5],
    ["pocock", 0.05, [2, 7, 10], [2.17621, 1.9021, 1.97953], 4.5],
  ] as const)("gives the boundaries of %s at %d", (spending, alpha, looks, expected, digits) => {
    const critical = sequentialLooks({ looks, spending, alpha }).map((look) => look.critical);
    expect(critical).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) {
      expect(critical[index]).toBeCloseTo(value, digits);
    }
  });

  it("is the plain test with a single look", () => {
    const [look] = sequentialLooks({ looks: [40], spending: "pocock", alpha: 0.05 });
    expect(look?.critical).toBeCloseTo(1.644854, 5);
    expect(look?.tail).toBeCloseTo(0.05, 8);
  });

  it("never lets a look have more than all looks may spend", () => {
    const looks = array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    assert(
      property(looks, constantFrom("obrien-fleming", "pocock"), (steps, spending) => {
        let samples = 0;
        const plan = steps.map((step) => (samples += step));
        const made = sequentialLooks({ looks: plan, spending, alpha: 0.05 });
        for (const look of made) {
          expect(look.tail).toBeLessThanOrEqual(look.spent + 1e-6);
          expect(look.spent).toBeLessThanOrEqual(0.05 + 1e-12);
        }
        expect(made.at(-1)?.spent).toBeCloseTo(0.05, 12);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses looks that do not rise", () => {
    for (const looks of [
      [0, 10],
      [10, 10],
      [20, 10],
      [5.5, 10],
    ]) {
      expect(() => sequentialLooks({ looks, spending: "pocock", alpha: 0.05 })).toThrow(RangeError);
    }
  });
});

describe("spentAlpha", () => {
  it("gives Lan and DeMets' functions", () => {
    // At half the information ld98 prints 0.00305 and 0.03101 for two sides of 2.5 % each.
    expect(spentAlpha("obrien-fleming", 0.5, 0.025)).toBeCloseTo(0.00305 / 2, 5);
    expect(spentAlpha("obrien-fleming", 1, 0.05)).toBeCloseTo(0.05, 12);
    expect(spentAlpha("pocock", 0.5, 0.025)).toBeCloseTo(0.03101 / 2, 5);
    expect(spentAlpha("pocock", 1, 0.05)).toBeCloseTo(0.05, 12);
  });
});
