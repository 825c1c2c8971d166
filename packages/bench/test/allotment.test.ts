import { describe, expect, it } from "vitest";
import { allotBlocks, type AllottableCell } from "../src/plan/allotment.js";

function cell(id: string, changes: Partial<AllottableCell> = {}): AllottableCell {
  return {
    id,
    fewestBlocks: 8,
    mostBlocks: 100,
    blocksBefore: 0,
    secondsPerBlock: 1,
    noise: 1,
    ...changes,
  };
}

const given = (cells: readonly AllottableCell[], seconds: number, processesLeft = 1) =>
  Object.fromEntries(allotBlocks(cells, { seconds, processesLeft }));

describe("allotBlocks", () => {
  it("gives the fewest where there is no time for more, however long they take", () => {
    const cells = [cell("a"), cell("b", { fewestBlocks: 2, secondsPerBlock: 5 })];
    expect(given(cells, 18)).toEqual({ a: 8, b: 2 });
    expect(given(cells, 0)).toEqual({ a: 8, b: 2 });
  });

  it("first decides the cells that need the least time", () => {
    // Each needs 100 blocks.
    const cells = [
      cell("long", { fewestBlocks: 2, secondsPerBlock: 5, noise: 1.25 }),
      cell("short", { secondsPerBlock: 0.125, noise: 1.25, mostBlocks: 200 }),
    ];
    // 10 s for the fewest of the long one: with 29 s more it could be given five, and not be decided.
    expect(given(cells, 12.5 + 10)).toEqual({ long: 2, short: 100 });
    expect(given(cells, 12.5 + 29)).toEqual({ long: 2, short: 200 });
    expect(given(cells, 12.5 + 500)).toEqual({ long: 100, short: 100 });
  });

  it("gives what is left to cells that can be decided, and to all where none can", () => {
    const long = cell("long", { fewestBlocks: 2, secondsPerBlock: 5, noise: 2 });
    const short = cell("short", { secondsPerBlock: 0.125, noise: 0.1, blocksBefore: 100 });
    expect(given([long, short], 11 + 5 + 4, 2)).toEqual({ long: 2, short: 80 });
    expect(given([long, cell("unclaimed", { noise: 0 })], 18 + 11, 2)).toEqual({
      long: 4,
      unclaimed: 8,
    });
  });

  it("gives a quiet cell as many as a verdict needs, and one without a claim its fewest", () => {
    const cells = [
      cell("quiet", { noise: 0.01, blocksBefore: 8, secondsPerBlock: 0.1 }),
      cell("unclaimed", { noise: 0 }),
    ];
    expect(given(cells, 8 + 0.85, 7)).toEqual({ quiet: 8, unclaimed: 8 });
    expect(given(cells, 8 + 5.25)).toEqual({ quiet: 52, unclaimed: 8 });
  });

  it("spreads what a cell needs over the processes that are left", () => {
    const needing = cell("a", { fewestBlocks: 4, mostBlocks: 1000, noise: 1.25 });
    const [none, half] = [1000, 104].map((seconds) =>
      given([needing, cell("b", { fewestBlocks: 1, mostBlocks: 1 })], seconds, 4),
    );
    // 100 in all: 25 in each of four, in whole squares; what is left goes to it too.
    expect(none?.["a"]).toBeGreaterThan(28);
    expect(half?.["a"]).toBeGreaterThanOrEqual(28);
    const before = cell("a", { ...needing, blocksBefore: 99, mostBlocks: 8 });
    expect(given([before], 4, 4)).toEqual({ a: 4 });
  });

  it("gives what is left to the largest standard error against the limit", () => {
    const cells = [
      cell("quiet", { noise: 0.1, blocksBefore: 100 }),
      cell("noisy", { noise: 0.2, blocksBefore: 100 }),
      cell("unclaimed", { noise: 0, blocksBefore: 100 }),
    ];
    const blocks = given(cells, 24 + 40);
    expect(blocks).toEqual({ quiet: 8, noisy: 48, unclaimed: 8 });
  });

  it("stays within a cell's most, and within the time", () => {
    const cells = [
      cell("a", { noise: 100, mostBlocks: 12 }),
      cell("b", { noise: 50, secondsPerBlock: 3, mostBlocks: 40 }),
    ];
    for (const seconds of [40, 55.5, 70, 1000]) {
      const { a = 0, b = 0 } = given(cells, seconds);
      expect(a).toBeLessThanOrEqual(12);
      expect(b).toBeLessThanOrEqual(40);
      expect(a + 3 * b).toBeLessThanOrEqual(seconds);
    }
    expect(given(cells, 1000)).toEqual({ a: 12, b: 40 });
  });

  it("does not know what the blocks say, only how much they scatter", () => {
    const keys = Object.keys(cell("a")).toSorted();
    expect(keys).toEqual([
      "blocksBefore",
      "fewestBlocks",
      "id",
      "mostBlocks",
      "noise",
      "secondsPerBlock",
    ]);
  });
});
