import { describe, expect, it } from "vitest";
import { promiseKey, widestClaims, widestFirst, type ClaimResult } from "../src/record/index.js";

function claim(cell: string, treatment: ClaimResult["treatment"], limit: number): ClaimResult {
  return {
    id: `${treatment}-${limit}`,
    metric: "overhead",
    treatment,
    cell,
    limit,
    verdict: "upheld",
    reasons: [],
    control: null,
    breakEvenMicrosecondsPerToken: null,
  };
}

const wide = ["a", "b"].flatMap((cell) => [
  claim(cell, "stream", 0.05),
  claim(cell, "streamAsync", 0.1),
]);
const narrow = ["a", "b"].flatMap((cell) => [
  claim(cell, "stream", 0.01),
  claim(cell, "streamAsync", 0.01),
]);
const mixed = [...wide.slice(0, 2), ...narrow.slice(0, 2), ...wide.slice(2), ...narrow.slice(2)];

describe("several claims about one mode of a cell", () => {
  it("have a widest, which comes first", () => {
    expect(widestClaims(mixed)).toEqual(wide);
    expect(widestFirst(mixed)).toEqual([
      ...wide,
      ...narrow.filter(({ treatment }) => treatment === "stream"),
      ...narrow.filter(({ treatment }) => treatment === "streamAsync"),
    ]);
  });

  it("are as they are where each is alone", () => {
    expect(widestFirst(wide)).toEqual(wide);
    expect(widestClaims([])).toEqual([]);
    expect(promiseKey(narrow[0]!)).toBe(promiseKey(narrow[2]!));
    expect(promiseKey(narrow[0]!)).not.toBe(promiseKey(wide[0]!));
  });
});
