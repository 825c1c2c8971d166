import type { LoadStage, LoadStep, Objective } from "../record/index.js";
import type { StepVerdict } from "./find-rate.js";
import { lateShare } from "./load-plan.js";
import { isMet, requiredGood } from "./objective.js";
import { totalsOf } from "./stage-counts.js";
import type { StageTally } from "./stage-tally.js";

/** Whether the stages of a step meet the objective; null without one, and where it was interrupted. */
export function judgeStep(
  objective: Objective | null,
  status: LoadStep["status"],
  stages: readonly LoadStage[],
): LoadStep["verdict"] {
  if (objective === null || status === "interrupted") return null;
  const { good, offered } = totalsOf(stages);
  return isMet(objective, good, offered) ? "met" : "missed";
}

/**
 * Whether it is sure before the end that the objective is missed, and would be missed if every late
 * request had been good.
 */
export function isSurelyMissed({ share }: Objective, tallies: readonly StageTally[]): boolean {
  const offered = tallies.reduce((sum, tally) => sum + tally.offered, 0);
  const bad = tallies.reduce((sum, tally) => sum + tally.bad - tally.late, 0);
  return offered - bad < requiredGood(share, offered);
}

/**
 * What a step says of a rate. A miss that would be none if every late request had been good says
 * nothing of the server. A step that ended early is no such miss; see {@link isSurelyMissed}.
 */
export function searchVerdict(
  objective: Objective | null,
  { status, verdict, stages }: Pick<LoadStep, "status" | "verdict" | "stages">,
): StepVerdict {
  if (verdict === null || objective === null) return "interrupted";
  if (verdict === "met" || status === "decided") return verdict;
  const { good, late, offered } = totalsOf(stages);
  return isMet(objective, good + late, offered) ? "late" : "missed";
}

/** Whether so many requests were sent late that latencies say more of the client than of the server. */
export function isClientLate(stages: readonly LoadStage[]): boolean {
  const { late, arrived } = totalsOf(stages);
  return late > lateShare * arrived;
}
