import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Turns, takeTurns, type TurnTaker } from "../src/scenarios/engine/turns.js";

/** Works that write down each step's beginning and end. */
function workers(steps: readonly number[]): {
  readonly takers: readonly TurnTaker<string>[];
  readonly steps: string[];
} {
  const made: string[] = [];
  const takers = steps.map((count, index) => {
    const turns = new Turns();
    return {
      turns,
      async run() {
        for (let step = 0; step < count; step++) {
          if (step > 0) await turns.pause();
          made.push(`${index} begins`);
          await setImmediate();
          made.push(`${index} ends`);
        }
        return `work ${index}`;
      },
    };
  });
  return { takers, steps: made };
}

describe("takeTurns", () => {
  it("lets one step at a time run, of each one in each round", async () => {
    const { takers, steps } = workers([4, 4, 4]);
    expect(await takeTurns(takers, 1)).toEqual(["work 0", "work 1", "work 2"]);
    const pairs = Array.from({ length: 12 }, (_, index) => steps.slice(2 * index, 2 * index + 2));
    for (const [begins, ends] of pairs) expect(ends).toBe(begins?.replace("begins", "ends"));
    const order = pairs.map(([begins]) => Number.parseInt(begins ?? "", 10));
    const rounds = Array.from({ length: 4 }, (_, index) => order.slice(3 * index, 3 * index + 3));
    for (const round of rounds) expect(new Set(round)).toEqual(new Set([0, 1, 2]));
    // The orders change, and are those of the seed.
    expect(new Set(rounds.map(String)).size).toBeGreaterThan(1);
    const again = workers([4, 4, 4]);
    await takeTurns(again.takers, 1);
    expect(again.steps).toEqual(steps);
  });

  it("goes on with the others when one has ended, and can be done again", async () => {
    const { takers, steps } = workers([1, 3]);
    await takeTurns(takers, 1);
    expect(steps).toHaveLength(8);
    expect(await takeTurns(takers, 2)).toEqual(["work 0", "work 1"]);
    expect(steps).toHaveLength(16);
  });

  it("throws what one has thrown, when the others have ended", async () => {
    const { takers, steps } = workers([3, 2]);
    const failing = {
      turns: new Turns(),
      run: () => Promise.reject(new RangeError("It has failed.")),
    };
    await expect(takeTurns([failing, ...takers], 1)).rejects.toThrow("It has failed.");
    expect(steps).toHaveLength(10);
  });

  it("counts what a work's own turns take, and begins anew with each work", async () => {
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    const takers = [3, 200].map((stepMilliseconds) => {
      const turns = new Turns();
      return {
        turns,
        async run() {
          now += stepMilliseconds;
          await turns.pause();
          now += stepMilliseconds;
          return turns.milliseconds;
        },
      };
    });
    try {
      expect(await takeTurns(takers, 1)).toEqual([6, 400]);
      expect(await takeTurns(takers, 2)).toEqual([6, 400]);
    } finally {
      clock.mockRestore();
    }
  });
});
