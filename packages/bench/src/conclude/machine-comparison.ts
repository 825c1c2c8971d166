import type { Block, Cell, MachineComparison, ResultRecord } from "../record/index.js";
import { estimateMachines, rescaleOne } from "../statistics/index.js";
import { logRatio, pairsOf } from "./analysis.js";

/**
 * What the machines of a run say of each cell that two or more of them measured; empty where one
 * machine measured.
 */
export function compareMachines({
  cells,
  machines = [],
}: Pick<ResultRecord, "cells" | "machines">): readonly MachineComparison[] {
  if (machines.length < 2) return [];
  return cells.flatMap((cell) => {
    const parts = machines
      .map(({ processes }) => blocksOf(cell, processes))
      .filter(({ length }) => length > 0);
    return parts.length < 2 ? [] : compareCell(cell, parts);
  });
}

/** @param parts the blocks of each machine */
function compareCell(
  { id }: Cell,
  parts: readonly (readonly Block[])[],
): readonly MachineComparison[] {
  return (["control", "stream", "streamAsync"] as const).map((treatment) => {
    const samples = parts.map((blocks) =>
      pairsOf(blocks, treatment).map((pairs) => pairs.map(logRatio)),
    );
    const { estimate, deviations } = estimateMachines(samples);
    return {
      cell: id,
      treatment,
      machines: parts.length,
      overhead: rescaleOne(estimate, Math.expm1),
      standardDeviations: deviations,
    };
  });
}

function blocksOf({ blocks }: Cell, processes: readonly number[]): readonly Block[] {
  return blocks.filter(({ process = 0 }) => processes.includes(process));
}
