import type { Generator } from "@streamgauge/core";
import { deriveCell } from "../src/conclude/derivation.js";
import { runCell, type ExperimentOptions } from "../src/measure/experiment.js";
import type { RawBlock } from "../src/measure/raw-samples.js";
import { identityOf, type Cell } from "../src/record/index.js";
import type { CellPlan } from "../src/plan/stage.js";

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
