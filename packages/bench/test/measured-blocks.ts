import { identityOf, type Block, type Cell } from "../src/record/index.js";
import type { CellPlan } from "../src/plan/stage.js";
import { runOf } from "./example-run.js";

/** What so many processes left of a cell: as many blocks each as planned. */
export function measuredBlocks(
  plan: CellPlan,
  {
    processes,
    secondsPerRun,
    logRatio,
  }: {
    readonly processes: number;
    readonly secondsPerRun: number;
    /** Of the next block's stream to its `generate`. */
    readonly logRatio: () => number;
  },
): Cell {
  const nanoseconds = secondsPerRun * 1e9;
  const blocks = Array.from({ length: processes * plan.blocks }, (_, index): Block => {
    const stream = Math.exp(logRatio());
    return {
      index,
      process: Math.floor(index / plan.blocks),
      runs: [
        runOf("generate", nanoseconds),
        runOf("control", nanoseconds),
        runOf("stream", stream * nanoseconds),
        // So that each block takes as long, whatever the stream does.
        runOf("streamAsync", (2 - stream) * nanoseconds),
      ],
    };
  });
  return {
    ...identityOf(plan),
    status: "running",
    failure: null,
    promptTokens: 8,
    warmUp: { blocksDropped: 5 * processes, steady: true },
    processes: Array.from({ length: processes }, (_, process) => ({
      process,
      status: "complete",
      blocks: plan.blocks,
      warmUp: { blocksDropped: 5, steady: true },
    })),
    plannedBlocks: processes * plan.blocks,
    blocks,
    distributions: [],
    analysis: null,
    rawSamples: null,
  };
}
