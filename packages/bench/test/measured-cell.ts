import type { Generator } from "@streamgauge/core";
import { analyze } from "../src/conclude/analysis.js";
import { deriveCell } from "../src/conclude/derivation.js";
import { runCell, type ExperimentOptions } from "../src/measure/experiment.js";
import type { RawBlock } from "../src/measure/raw-samples.js";
import { identityOf, type Block, type Cell } from "../src/record/index.js";
import type { CellPlan } from "../src/plan/stage.js";
import { cellPlan } from "./plans.js";

/** Runs a cell in one process, and gives what a record would say of it. */
export async function measureCell(
  generator: Generator,
  plan: CellPlan,
  options: Pick<ExperimentOptions, "clock" | "seed" | "work"> & Partial<ExperimentOptions>,
): Promise<Cell> {
  const raw: RawBlock[] = [];
  const { failure, promptTokens, ...part } = await runCell(generator, plan, {
    process: 0,
    ...options,
    onBlock: async (block, blocks) => {
      raw.push(block);
      await options.onBlock?.(block, blocks);
    },
  });
  const { status, warmUp } = part;
  return {
    ...identityOf(plan),
    status,
    failure,
    promptTokens,
    warmUp,
    processes: [part],
    plannedBlocks: plan.blocks,
    ...deriveCell(raw, plan),
    rawSamples: null,
  };
}

/** What a record would say of a cell with these blocks. */
export function analysedCell(blocks: readonly Block[]): Cell {
  const plan = cellPlan();
  return {
    ...identityOf(plan),
    status: "complete",
    failure: null,
    promptTokens: 8,
    warmUp: { blocksDropped: 5, steady: true },
    processes: [],
    plannedBlocks: plan.blocks,
    blocks,
    distributions: [],
    analysis: analyze(blocks, plan.tokens),
    rawSamples: null,
  };
}
