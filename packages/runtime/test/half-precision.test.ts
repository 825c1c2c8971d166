import { describe, expect, it } from "vitest";

import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToFloat16,
  roundToFloat16,
} from "../src/onnx/half-precision.js";

const allBits = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
const isNumber = (bits: number): boolean => (bits & 0x7fff) <= 0x7c00;

describe("half precision", () => {
  it("narrows what it widened to the same bits, infinities and zeros included", () => {
    const numbers = allBits.filter(isNumber);
    expect(float32ToFloat16(float16ToFloat32(numbers))).toEqual(numbers);
    const [nan] = float16ToFloat32(float32ToFloat16(Float32Array.of(NaN)));
    expect(nan).toBeNaN();
  });

  it("rounds to the nearer neighbour, and halfway to the even one", () => {
    // Widening is exact and increases with the bits, so neighbours are known independently.
    const positive = float16ToFloat32(allBits.subarray(0, 0x7c00));
    const wrong: string[] = [];
    const check = (value: number, wanted: number): void => {
      const found = roundToFloat16(value);
      if (found !== wanted) wrong.push(`${value} → ${found}, not ${wanted}`);
    };
    for (let bits = 0; bits + 1 < positive.length; bits++) {
      const [low, high] = [positive[bits]!, positive[bits + 1]!];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? low : high;
      const step = (high - low) / 4;
      for (const sign of [1, -1]) {
        check(sign * middle, sign * even);
        check(sign * (middle - step), sign * low);
        check(sign * (middle + step), sign * high);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("becomes an infinity from where the next step would be nearer", () => {
    expect(roundToFloat16(65_504)).toBe(65_504);
    expect(roundToFloat16(65_519)).toBe(65_504);
    expect(roundToFloat16(65_520)).toBe(Infinity);
    expect(roundToFloat16(-1e30)).toBe(-Infinity);
    expect(roundToFloat16(1e-30)).toBe(0);
    expect(Object.is(roundToFloat16(-1e-30), -0)).toBe(true);
  });

  it("of the other kind is the upper half of a float32", () => {
    const bits = new DataView(new ArrayBuffer(4));
    for (const upper of [0, 0x3f80, 0xc000, 0x7f7f, 0x0001, 0xff80]) {
      bits.setUint32(0, upper * 0x10000);
      expect(bfloat16ToFloat32(Uint16Array.of(upper))[0]).toBe(bits.getFloat32(0));
    }
  });
});
