import { describe, expect, it } from "vitest";
import { findPreset, type Claim } from "@streamgauge/bench";
import { planStages, select } from "../src/run/plan-stages.js";
import { shareOut } from "../src/run/share-out.js";
import type { Cell } from "../src/record/index.js";
import type { CellPlan } from "../src/plan/stage.js";
import { createDraw } from "../src/statistics/draw.js";
import { measuredBlocks } from "./measured-blocks.js";

const quick = findPreset("quick");
const stages = select(quick, {});
const plans = stages.flatMap(({ cells }) => cells);

const claims: Claim[] = [
  { id: "sync", metric: "overhead", treatment: "stream", limit: 0.05, of: { scenario: "model" } },
  { id: "tight", metric: "overhead", treatment: "stream", limit: 0.01, of: { scenario: "model" } },
];

/** What processes left of each cell, with a scatter for each. */
function measured(
  processes: number,
  scatterOf: (tokens: number) => number,
  slowness = 1,
): readonly Cell[] {
  const draw = createDraw(7);
  return plans.map((plan) =>
    measuredBlocks(plan, {
      processes,
      secondsPerRun: (slowness * plan.expectedBlockSeconds) / 4,
      logRatio: () => scatterOf(plan.tokens) * (2 * draw.fraction() - 1),
    }),
  );
}

const share = (cells: readonly Cell[], process: number, budgetSeconds = 255) =>
  shareOut({ stages, record: { cells }, claims, process, processes: 8, budgetSeconds });

const secondsOf = (plan: CellPlan, blocks: number): number => blocks * plan.expectedBlockSeconds;

describe("shareOut", () => {
  it("leaves the first process as it was planned", () => {
    expect(share([], 0)).toEqual({});
  });

  it("fits the run into its time, and gives the noisiest cell what is left", () => {
    const even = share(
      measured(1, () => 0.05),
      1,
      400,
    );
    const noisy = share(
      measured(1, (tokens) => (tokens === 10 ? 0.4 : 0.05)),
      1,
      400,
    );
    expect(Object.keys(even)).toEqual(plans.map(({ id }) => id));
    for (const blocks of [even, noisy]) {
      const seconds = plans.reduce((sum, plan) => sum + secondsOf(plan, blocks[plan.id] ?? 0), 0);
      expect(seconds).toBeLessThan(400 / 8);
    }
    expect(noisy["pequod-pooled-10"]).toBeGreaterThan(even["pequod-pooled-10"] ?? 0);
  });

  it("gives the fewest blocks on a machine that is too slow", () => {
    expect(
      share(
        measured(1, () => 0.1, 4),
        1,
      ),
    ).toEqual({
      "pequod-pooled-10": 8,
      "pequod-pooled-50": 8,
      "pequod-pooled-100": 8,
      "pequod-pooled-1000": 1,
    });
  });

  it("follows from the processes before alone, so that a resumed run gives the same", () => {
    const cells = measured(5, () => 0.1);
    const before = measured(3, () => 0.1);
    expect(share(cells, 3)).toEqual(
      share(
        cells.map((cell, index) => ({
          ...cell,
          blocks: cell.blocks.filter(({ process = 0 }) => process < 3),
          processes: before[index]?.processes ?? [],
        })),
        3,
      ),
    );
  });

  it("leans to no verdict: the same scatter about another value gives the same blocks", () => {
    const draws = createDraw(3);
    const scatter = Array.from({ length: 4000 }, () => 0.1 * draws.fraction());
    const around = (center: number) =>
      share(
        plans.map((plan) => {
          let next = 0;
          return measuredBlocks(plan, {
            processes: 2,
            secondsPerRun: plan.expectedBlockSeconds / 4,
            logRatio: () => center + (scatter[(next += 1)] ?? 0),
          });
        }),
        2,
      );
    expect(around(0)).toEqual(around(0.049));
  });

  it("has nothing to give where nothing may have another number of blocks", async () => {
    const fixed = await planStages({
      preset: "quick",
      blocks: 8,
      modules: [],
      process: 1,
      leaveOut: [],
    });
    const cells = measured(1, () => 0.1);
    expect(
      shareOut({
        stages: fixed,
        record: { cells },
        claims,
        process: 1,
        processes: 8,
        budgetSeconds: 255,
      }),
    ).toEqual({});
  });
});
