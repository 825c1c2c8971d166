import { describe, expect, it } from "vitest";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

import { quantiseRows } from "../src/onnx/build/block-quantisation.js";
import { roundToFloat16 } from "../src/onnx/half-precision.js";
import { dequantise } from "./quantised-reference.js";

function randomRows(length: number, seed: number): Float32Array {
  const generator = xoroshiro128plus(seed);
  return Float32Array.from({ length }, () => {
    // A sum of uniform numbers, some of them outliers, as trained weights have them.
    const sum = generator.next() + generator.next() + generator.next();
    return (sum / 2 ** 31) * (generator.next() % 16 === 0 ? 4 : 1);
  });
}

const squaredError = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

describe("quantiseRows", () => {
  it.each([
    [4, 64],
    [4, 48],
    [8, 64],
    [8, 5],
  ] as const)("with %i bits keeps rows of %i near what they were", (bits, columns) => {
    const rows = 50;
    const values = randomRows(rows * columns, bits * columns);
    const quantised = quantiseRows(values, columns, bits, Math.fround);
    const blocks = Math.ceil(columns / 32);
    expect(quantised.packed).toHaveLength(rows * blocks * 4 * bits);
    expect(quantised.scales).toHaveLength(rows * blocks);
    const again = dequantise(quantised, columns, bits);
    expect(again).toHaveLength(values.length);
    for (const [i, value] of values.entries()) {
      const row = Math.floor(i / columns);
      const scale = quantised.scales[row * blocks + Math.floor((i % columns) / 32)]!;
      const number = again[i]! / scale;
      expect(Math.abs(number - Math.round(number))).toBeLessThan(1e-4);
      // Half a step off, or cut off at the end of the range.
      const isLast = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1].includes(Math.round(number));
      const most = isLast ? 2 : 0.5;
      expect(Math.abs(again[i]! - value)).toBeLessThanOrEqual(Math.abs(scale) * (most + 1e-4));
    }
  });

  it("errs less with four bits than the scale that merely fits", () => {
    const values = randomRows(32 * 200, 3);
    const fitted = values.slice();
    for (let start = 0; start < values.length; start += 32) {
      const block = values.subarray(start, start + 32);
      const largest = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      const scale = largest / -8;
      for (const [i, value] of block.entries()) {
        fitted[start + i] = Math.min(Math.max(Math.round(value / scale), -8), 7) * scale;
      }
    }
    const again = dequantise(quantiseRows(values, 32, 4, Math.fround), 32, 4);
    expect(squaredError(again, values)).toBeLessThan(0.97 * squaredError(fitted, values));
  });

  it.each([4, 8] as const)("leaves zeros and padding zero with %i bits", (bits) => {
    const { packed, scales } = quantiseRows(new Float32Array(2 * 40), 40, bits, Math.fround);
    expect(new Set(packed)).toEqual(new Set([bits === 4 ? 0x88 : 0x80]));
    expect(new Set(scales)).toEqual(new Set([0]));
    // The second block of a row of 33 is one weight and 31 zeros.
    const values = new Float32Array(33).fill(1);
    const padded = quantiseRows(values, 33, bits, Math.fround);
    expect(
      dequantise(padded, 64, bits)
        .slice(33)
        .every((value) => value === 0),
    ).toBe(true);
  });

  it("rounds weights for the scale that is stored", () => {
    const values = randomRows(32 * 50, 9);
    const { packed, scales } = quantiseRows(values, 32, 8, roundToFloat16);
    for (const scale of scales) expect(roundToFloat16(scale)).toBe(scale);
    const again = dequantise({ packed, scales }, 32, 8);
    for (const [i, value] of values.entries()) {
      const scale = Math.abs(scales[Math.floor(i / 32)]!);
      // A number that is as large and has the opposite sign ends one step before it.
      expect(Math.abs(again[i]! - value)).toBeLessThanOrEqual(scale * 1.1);
    }
  });
});
