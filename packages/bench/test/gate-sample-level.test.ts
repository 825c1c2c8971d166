import { describe, expect, it } from "vitest";
import { sampleLevel, samplesAt } from "../src/gate/sample-level.js";
import { meanEstimate } from "../src/statistics/index.js";

/** Yield of dyestuff by batch: Davies 1947, in Bates, "lme4: Mixed-effects modeling with R", ch. 1. */
const dyestuff = [
  [1545, 1440, 1440, 1520, 1580],
  [1540, 1555, 1490, 1560, 1495],
  [1595, 1550, 1605, 1510, 1560],
  [1445, 1440, 1595, 1465, 1545],
  [1595, 1630, 1515, 1635, 1625],
  [1520, 1455, 1450, 1480, 1445],
];

/** Simulated batches without variance between them: Box and Tiao 1973, in the same chapter. */
const dyestuff2 = [
  [7.298, 3.846, 2.434, 9.566, 7.99],
  [5.22, 6.556, 0.608, 11.788, -0.892],
  [0.11, 10.386, 13.434, 5.51, 8.166],
  [2.212, 4.852, 7.092, 9.288, 4.98],
  [0.282, 9.014, 4.458, 9.446, 7.198],
  [1.722, 4.782, 8.106, 0.758, 3.758],
];

describe("sampleLevel", () => {
  it("takes process means where processes differ", () => {
    expect(sampleLevel(dyestuff)).toBe("processes");
    const { value, interval95 } = meanEstimate(samplesAt("processes", dyestuff));
    // lmer prints 1527.5 with a standard error of 19.38; t.975 of 5 degrees of freedom is 2.571.
    expect(value).toBeCloseTo(1527.5, 9);
    expect(interval95.lower).toBeCloseTo(1527.5 - 2.5706 * 19.3834, 2);
  });

  it("takes blocks where they do not", () => {
    expect(sampleLevel(dyestuff2)).toBe("blocks");
    // lmer prints 5.6656 with a standard error of 0.6784.
    expect(meanEstimate(samplesAt("blocks", dyestuff2)).value).toBeCloseTo(5.6656, 4);
  });

  it("says where too few processes differ", () => {
    expect(sampleLevel(dyestuff.slice(3))).toBe("too few processes");
    expect(samplesAt("too few processes", dyestuff.slice(3))).toHaveLength(15);
  });

  it("knows what cannot be separated", () => {
    const values = [1, 2, 3, 4, 5, 7];
    expect(sampleLevel([values])).toBe("blocks");
    expect(sampleLevel(values.map((value) => [value]))).toBe("processes");
    expect(() => sampleLevel([values, []])).toThrow(RangeError);
  });
});
