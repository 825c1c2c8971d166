import type { CellPlan, Stage } from "../plan/stage.js";
import { warmUpTokens } from "../measure/warm-up.js";

/** Warm-up blocks of a cell that is steady at once. */
export const expectedWarmUpBlocks = 5;

export function expectedWarmUpBlockSeconds({
  tokens,
  expectedBlockSeconds,
}: Pick<CellPlan, "tokens" | "expectedBlockSeconds">): number {
  return (expectedBlockSeconds * Math.min(tokens, warmUpTokens)) / tokens;
}

export function expectedWarmUpSeconds(plan: CellPlan): number {
  return expectedWarmUpBlocks * expectedWarmUpBlockSeconds(plan);
}

/**
 * The time of a cell's blocks in one process.
 *
 * @param slowness seconds of this machine for a second of the plan's guesses
 */
export function expectedBlocksSeconds(plan: CellPlan, slowness = 1): number {
  return Math.min(plan.timeBudgetSeconds, slowness * plan.blocks * plan.expectedBlockSeconds);
}

/** Everything of these stages, in one process. */
export function expectedSeconds(stages: readonly Stage[]): number {
  const parts = stages.flatMap(({ cells, measurements }) => [
    ...cells.map((cell) => expectedWarmUpSeconds(cell) + expectedBlocksSeconds(cell)),
    ...measurements.map((plan) => plan.expectedSeconds),
  ]);
  return parts.reduce((sum, seconds) => sum + seconds, 0);
}
