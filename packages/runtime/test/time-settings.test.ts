import { describe, expect, it } from "vitest";
import type { ThreadSettings } from "../src/threads/thread-settings.js";
import { timeSettings, timingBudgetMilliseconds } from "../src/threads/time-settings.js";

const settings: readonly ThreadSettings[] = [
  { threads: 1, spinMicroseconds: 0 },
  { threads: 2, spinMicroseconds: 0 },
  { threads: 2, spinMicroseconds: 50 },
];

/** A machine whose time passes only where it is told to. */
class Machine {
  nowMilliseconds = 0;
  readonly log: string[] = [];
  open = 0;

  readonly openMilliseconds: number;
  /** Milliseconds of a run, by settings and how many such runs there were. */
  readonly costOf: (settings: ThreadSettings, run: number) => number;

  constructor(openMilliseconds: number, costOf: Machine["costOf"]) {
    this.openMilliseconds = openMilliseconds;
    this.costOf = costOf;
  }

  time(budgetMilliseconds = 1000) {
    return timeSettings(settings, {
      budgetMilliseconds,
      now: () => this.nowMilliseconds,
      open: (one) => {
        this.nowMilliseconds += this.openMilliseconds;
        this.open += 1;
        let runs = 0;
        return Promise.resolve({
          run: () => {
            this.nowMilliseconds += this.costOf(one, runs);
            this.log.push(`${one.threads}/${one.spinMicroseconds}`);
            runs += 1;
            return Promise.resolve();
          },
          close: () => {
            this.open -= 1;
            return Promise.resolve();
          },
        });
      },
    });
  }
}

const steady = ({ threads, spinMicroseconds }: ThreadSettings): number =>
  threads === 1 ? 1 : spinMicroseconds === 0 ? 0.7 : 0.6;

describe("timing settings", () => {
  it("gives the medians in microseconds, without the first runs", async () => {
    const machine = new Machine(5, (one, run) => steady(one) * (run < 3 ? 30 : run === 5 ? 3 : 1));
    const measured = await machine.time();
    expect(measured?.isSteady).toBe(true);
    expect(measured?.timings.map(({ microseconds }) => Math.round(microseconds))).toEqual([
      1000, 700, 600,
    ]);
    expect(machine.open).toBe(0);
  });

  it("runs all in turn, forwards and backwards", async () => {
    const machine = new Machine(0, steady);
    await machine.time();
    expect(machine.log.slice(0, 6)).toEqual(["1/0", "2/0", "2/50", "2/50", "2/0", "1/0"]);
    expect(
      new Set(
        settings.map(
          (_, index) => machine.log.filter((name) => name === machine.log[index]).length,
        ),
      ).size,
    ).toBe(1);
  });

  it("keeps to its budget, and says nothing where that is too small", async () => {
    const slow = new Machine(5, (one) => 4 * steady(one));
    expect(await slow.time(200)).toBeDefined();
    // No more than the round that has begun.
    expect(slow.nowMilliseconds).toBeLessThan(5 + 200 + 4 * 2.3);
    const tooSlow = new Machine(5, (one) => 40 * steady(one));
    expect(await tooSlow.time(100)).toBeUndefined();
    expect(tooSlow.open).toBe(0);
    const slowToOpen = new Machine(60, steady);
    expect(await slowToOpen.time(100)).toBeUndefined();
    // The first one does not count, and the third was begun in time.
    expect(slowToOpen.nowMilliseconds).toBe(180);
    expect(slowToOpen.open).toBe(0);
  });

  it("stops as soon as it sees that its budget will not do", async () => {
    const slow = new Machine(0, (one) => 10 * steady(one));
    expect(await slow.time(100)).toBeUndefined();
    // Two rounds of 23 ms; six more do not fit.
    expect(slow.log).toHaveLength(2 * settings.length);
    expect(slow.open).toBe(0);
    // A first round that is slow, and one that is disturbed, say nothing of the others.
    const disturbed = new Machine(0, (one, run) => steady(one) * (run === 0 || run === 3 ? 9 : 1));
    expect(await disturbed.time(100)).toBeDefined();
  });

  it("says whether runs were alike", async () => {
    const disturbed = new Machine(0, (one, run) => steady(one) * (run % 3 === 0 ? 1 : 2));
    expect((await disturbed.time())?.isSteady).toBe(false);
  });

  it("closes what it opened when something fails", async () => {
    const machine = new Machine(0, (one, run) => {
      if (one.threads === 2 && run === 3) throw new Error("no");
      return steady(one);
    });
    await expect(machine.time()).rejects.toThrow("no");
    expect(machine.open).toBe(0);
  });

  it("may take longer for models that load longer, and never long", () => {
    const budgets = [1e5, 1e7, 1e8, 1e9, 1e11].map((bytes) => timingBudgetMilliseconds({ bytes }));
    expect(budgets).toEqual(budgets.toSorted((one, other) => one - other));
    expect(budgets[0]).toBeLessThan(30);
    expect(budgets.at(-1)).toBe(150);
  });
});
