import { describe, expect, it } from "vitest";
import { compareMachines } from "../src/conclude/machine-comparison.js";
import type { Cell, MeasuringMachine } from "../src/record/index.js";
import { createDraw } from "../src/statistics/draw.js";
import { estimateMachines } from "../src/statistics/index.js";
import { exampleRecord } from "./example-record.js";

/** Machines × processes × blocks of normal draws, with a deviation for each level. */
function draws(
  seed: number,
  [machines, processes, blocks]: readonly [number, number, number],
  [ofMachines, ofProcesses, ofBlocks]: readonly [number, number, number],
): number[][][] {
  const draw = createDraw(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - draw.fraction())) * Math.cos(2 * Math.PI * draw.fraction());
  return Array.from({ length: machines }, () => {
    const machine = ofMachines * normal();
    return Array.from({ length: processes }, () => {
      const process = machine + ofProcesses * normal();
      return Array.from({ length: blocks }, () => process + ofBlocks * normal());
    });
  });
}

describe("estimateMachines", () => {
  it("tells apart what machines, processes and blocks differ by", () => {
    const { deviations } = estimateMachines(draws(1, [300, 4, 6], [3, 2, 1]));
    expect(deviations.machines).toBeCloseTo(3, 0);
    expect(deviations.processes).toBeCloseTo(2, 0);
    expect(deviations.blocks).toBeCloseTo(1, 1);
  });

  it("says 0 of a level that adds nothing, and follows the classical sums of squares", () => {
    // Two machines with two processes of two blocks each.
    const machines = [
      [
        [1, 3],
        [5, 7],
      ],
      [
        [2, 4],
        [6, 8],
      ],
    ];
    const { estimate, deviations } = estimateMachines(machines);
    expect(estimate.value).toBe(4.5);
    expect(deviations.blocks ** 2).toBeCloseTo(2, 12);
    // Process means 2, 6 | 3, 7: variance 8, less 2 / 2 of the blocks.
    expect(deviations.processes ** 2).toBeCloseTo(7, 12);
    // Machine means 4, 5: variance 0.5, less 8 / 2 of the processes.
    expect(deviations.machines).toBe(0);
  });

  it("holds the truth in 95 of 100 intervals, where machines differ most", () => {
    let held = 0;
    for (let seed = 0; seed < 400; seed += 1) {
      const { estimate } = estimateMachines(draws(seed, [4, 3, 5], [3, 1, 1]));
      const { lower, upper } = estimate.interval95;
      if (lower <= 0 && 0 <= upper) held += 1;
    }
    expect(held / 400).toBeGreaterThan(0.93);
  });

  it("needs two machines, and something of each", () => {
    expect(() => estimateMachines([[[1]]])).toThrow(RangeError);
    expect(() => estimateMachines([[[1]], []])).toThrow(RangeError);
    expect(() => estimateMachines([[[1]], [[]]])).toThrow(RangeError);
  });
});

describe("compareMachines", () => {
  it("compares the cells that two machines measured, and no others", async () => {
    const record = await exampleRecord();
    const cells = record.cells.map((cell): Cell => ({
      ...cell,
      blocks: [0, 1, 2].flatMap((process) => cell.blocks.map((block) => ({ ...block, process }))),
    }));
    const machine = (name: string, processes: readonly number[]): MeasuringMachine => ({
      name,
      label: "lab",
      processes,
      environment: record.environment,
    });
    expect(compareMachines({ cells, machines: [machine("one", [0, 1, 2])] })).toEqual([]);
    const machines = [machine("one", [0, 1]), machine("two", [2]), machine("three", [9])];
    const comparisons = compareMachines({ cells, machines });
    expect(comparisons).toHaveLength(3 * cells.length);
    for (const { machines: count, standardDeviations, overhead } of comparisons) {
      expect(count).toBe(2);
      // All of them measured the same.
      expect(standardDeviations).toMatchObject({ machines: 0, processes: 0 });
      expect(Number.isFinite(overhead.value)).toBe(true);
    }
  });
});
