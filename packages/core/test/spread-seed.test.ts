import { spreadSeed } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { oddities } from "./oddities.js";

/** Two numbers of 64 bits. */
function numbersOf(seed: number): bigint[] {
  const [a, b, c, d] = spreadSeed(seed);
  const join = (upper: number, lower: number): bigint =>
    (BigInt.asUintN(32, BigInt(upper)) << 32n) | BigInt.asUintN(32, BigInt(lower));
  return [join(a, b), join(c, d)];
}

describe("spreadSeed", () => {
  it("gives the numbers of SplitMix64 that others publish", () => {
    expect(numbersOf(1234567)).toEqual([6457827717110365317n, 3203168211198807973n]);
    expect(numbersOf(0)).toEqual([0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n]);
  });

  it("gives words that are uniform over small seeds and have nothing in common", () => {
    const words = (from: number) => (seed: number) =>
      spreadSeed(from + seed).map((word) => word >>> 16);
    for (const from of [0, 2 ** 31 - 5000, 2 ** 32 - 10_000]) {
      expect(oddities(words(from), { places: 2 ** 16 })).toEqual([]);
    }
  });

  it("takes any integer, and nothing else", () => {
    const seeds = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map((seed) => String(spreadSeed(seed)))).size).toBe(seeds.length);
    for (const word of seeds.flatMap((seed) => [...spreadSeed(seed)])) expect(word).toBe(word | 0);
    for (const wrong of [0.5, Number.NaN, Infinity]) {
      expect(() => spreadSeed(wrong)).toThrow(RangeError);
    }
  });
});
