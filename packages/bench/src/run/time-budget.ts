import { invalidOption } from "@streamgauge/core";
import type { CellPlan, Stage } from "../plan/stage.js";
import { expectedBlocksSeconds, expectedWarmUpSeconds } from "./expected-time.js";
import type { Preset } from "./presets.js";

/**
 * Fewer blocks and shorter budgets of the cells, in proportion, until the whole run
 * is expected to fit up to the first look. Warm-ups, and measurements that are no
 * cells, stay as they are. Cells end at their budgets, so that a slow machine does
 * not take longer.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a budget that is no number > 0
 */
export function fitInto(
  budgetMinutes: number,
  stages: readonly Stage[],
  preset: Preset,
): readonly Stage[] {
  if (!(budgetMinutes > 0)) {
    throw invalidOption(`The time budget is ${budgetMinutes} minutes; it must be a number > 0.`);
  }
  let fixedSeconds = 0;
  let scalableSeconds = 0;
  for (const { cells, measurements } of stages) {
    for (const cell of cells) {
      const processes = processesOf(cell, preset);
      fixedSeconds += processes * expectedWarmUpSeconds(cell);
      scalableSeconds += processes * expectedBlocksSeconds(cell);
    }
    for (const { expectedSeconds } of measurements) fixedSeconds += expectedSeconds;
  }
  const factor = Math.max(0, budgetMinutes * 60 - fixedSeconds) / scalableSeconds;
  if (factor >= 1) return stages;
  return stages.map((stage) => ({
    ...stage,
    cells: stage.cells.map((cell) => {
      const fewest = fewestBlocks(processesOf(cell, preset));
      return {
        ...cell,
        blocks: Math.min(cell.blocks, Math.max(fewest, Math.round((cell.blocks * factor) / 4) * 4)),
        timeBudgetSeconds: Math.max(
          expectedBlocksSeconds(cell) * factor,
          fewest * cell.expectedBlockSeconds,
        ),
      };
    }),
  }));
}

/** Fresh processes that measure a cell by the first look. */
function processesOf({ scenario }: CellPlan, preset: Preset): number {
  const [first = 1] = preset.lookAtProcesses;
  return Math.min(first, preset.processesOf?.[scenario] ?? Infinity);
}

/** Fewest blocks that a budget leaves of a cell in a process: two balanced squares, or one in each of several. */
function fewestBlocks(processes: number): number {
  return processes > 1 ? 4 : 8;
}
