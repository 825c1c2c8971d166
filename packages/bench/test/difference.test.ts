import { describe, expect, it } from "vitest";
import { firstDifference } from "../src/statistics/difference.js";

describe("firstDifference", () => {
  it.each([
    [
      { a: [1, { b: "x" }], c: null },
      { a: [1, { b: "x" }], c: null },
    ],
    [0.1 + 0.2, 0.3],
    [5, 5.000_000_000_000_1],
    [0, -3e-18],
  ])("finds none between %j and %j", (recorded, derived) => {
    expect(firstDifference(recorded, derived, "x")).toBeUndefined();
  });

  it.each([
    [{ a: [1, { b: "x" }] }, { a: [1, { b: "y" }] }, /^x\.a\[1\]\.b is "x" in .* "y" from/],
    [[1], [1, 2], /^x\[1\] is missing in the record and 2 from/],
    [{ a: 1 }, {}, /^x\.a is 1 in the record and missing from/],
    [{ constructor: 1 }, {}, /^x\.constructor is 1 in the record and missing from/],
    [{}, { toString: 1 }, /^x\.toString is missing in the record and 1 from/],
    [null, { a: 1 }, /^x is null in .* {"a":1} from/],
    [10_000_000_000, 10_000_000_001, /^x is 10000000000 in/],
    [0.5, 0.500_001, /^x is 0\.5 in/],
    [0, 1e-9, /^x is 0 in/],
    ["1", 1, /^x is "1" in/],
    ["y".repeat(100), "", /^x is "y{59}… in/],
  ])("finds the first between %j and %j", (recorded, derived, message) => {
    expect(firstDifference(recorded, derived, "x")).toMatch(message);
  });
});
