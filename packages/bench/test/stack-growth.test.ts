import { describe, expect, it } from "vitest";
import { growthOf } from "../src/conclude/stack-growth.js";

const counts = [100, 1000, 10_000];

/** Eight blocks that differ by a per mille each. */
function costs(cost: (tokens: number) => number, tokens = counts) {
  return tokens.map((count) => ({
    tokens: count,
    costs: Array.from({ length: 8 }, (_, block) => cost(count) * (1 + (block - 4) / 1000)),
  }));
}

describe("growthOf", () => {
  it.each([
    ["the same for each token", (n: number) => 3 * n, 1, "linear"],
    ["that, and a dear start", (n: number) => 5000 + 3 * n, 1, "linear"],
    ["all earlier tokens again", (n: number) => 200 + n * n, 2, "quadratic"],
    ["n^1.4", (n: number) => n ** 1.4, 1.4, "more than linear"],
  ])("knows a cost that is %s", (_, cost, exponent, name) => {
    const growth = growthOf(costs(cost));
    expect(growth?.tokens).toEqual(counts);
    expect(growth?.exponent).toBeCloseTo(exponent, 6);
    expect(growth?.estimates?.hodgesLehmann.value).toBeCloseTo(exponent, 2);
    expect(growth?.order).toBe(name);
  });

  it("names a quadratic part that is most of the cost at the largest count", () => {
    const mixed = (share: number) => (n: number) => (1 - share) * n + (share * n * n) / 10_000;
    expect(growthOf(costs(mixed(0.9)))?.order).toBe("quadratic");
    expect(growthOf(costs(mixed(0.5)))?.order).toBe("more than linear");
    expect(growthOf(costs(mixed(0.02)))?.order).toBe("linear");
  });

  it("is unclear where blocks disagree", () => {
    const [low, middle, high] = costs((n) => n) as [
      ReturnType<typeof costs>[number],
      ReturnType<typeof costs>[number],
      ReturnType<typeof costs>[number],
    ];
    const wild = { ...high, costs: high.costs.map((cost, block) => cost * 2 ** (block - 3)) };
    expect(growthOf([low, middle, wild])?.order).toBe("unclear");
  });

  it("takes the last three counts", () => {
    const growth = growthOf(costs((n) => n * n, [10, 100, 1000, 10_000]));
    expect(growth?.tokens).toEqual(counts);
  });

  it("has no name without an interval", () => {
    const few = costs((n) => n).map((size) => ({ ...size, costs: size.costs.slice(0, 5) }));
    expect(growthOf(few)).toMatchObject({ estimates: null, order: null });
    expect(growthOf(few)?.exponent).toBeCloseTo(1, 6);
  });

  it.each([
    ["two counts", costs((n) => n, [100, 1000])],
    ["no blocks", counts.map((tokens) => ({ tokens, costs: [] }))],
    ["a larger count that costs less", costs((n) => 1 / n)],
  ])("says nothing of %s", (_, sizes) => {
    expect(growthOf(sizes)).toBeNull();
  });

  it("refuses counts that are no geometric series", () => {
    expect(() => growthOf(costs((n) => n, [100, 1000, 2000]))).toThrow(
      "100, 1000, 2000 tokens: each has to be the same multiple of the one before.",
    );
  });
});
