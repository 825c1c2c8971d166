import { describe, expect, it } from "vitest";
import { blockOrders, williamsDesign } from "../src/measure/block-order.js";
import { treatments } from "../src/record/index.js";

function take<T>(from: readonly T[], seed: number, count: number): T[][] {
  const orders = blockOrders(from, seed);
  return Array.from({ length: count }, () => [...orders.next().value]);
}

describe("williamsDesign", () => {
  it.each([2, 3, 4, 5, 9, 10, 22])("balances positions and neighbours of %i", (count) => {
    const rows = williamsDesign(count);
    const times = rows.length / count;
    expect(times).toBe(count % 2 === 0 ? 1 : 2);
    const positions = rows.flatMap((row) => row.map((treatment, at) => `${treatment} at ${at}`));
    expect(tally(positions)).toEqual({ different: count * count, times: [times] });
    const pairs = rows.flatMap((row) => row.slice(1).map((next, at) => `${row[at]} ${next}`));
    expect(tally(pairs)).toEqual({ different: count * (count - 1), times: [times] });
  });
});

describe("blockOrders", () => {
  it("uses each row once before it uses one again", () => {
    for (const seed of [0, 1, 2 ** 32 - 1]) {
      const square = take(treatments, seed, 4);
      for (const position of [0, 1, 2, 3]) {
        expect(new Set(square.map((order) => order[position]))).toEqual(new Set(treatments));
      }
    }
    const orders = take(["off", "offAgain", "on"], 1, 12).map(String);
    expect(new Set(orders.slice(0, 6)).size).toBe(6);
    expect(orders.slice(6).toSorted()).toEqual(orders.slice(0, 6).toSorted());
  });

  it("is drawn from the seed alone", () => {
    expect(take(treatments, 3, 100)).toEqual(take(treatments, 3, 100));
    expect(take(treatments, 3, 100)).not.toEqual(take(treatments, 4, 100));
  });

  it("refuses to look for an order of nothing", () => {
    expect(() => blockOrders([], 1).next()).toThrow(RangeError);
  });
});

/** How many different ones there are, and how often they come: one number where it is equally often. */
function tally(names: readonly string[]): { different: number; times: number[] } {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return { different: counts.size, times: [...new Set(counts.values())] };
}
