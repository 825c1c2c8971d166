import type { LoadStage, LoadStep, Objective } from "../record/index.js";
import type { StepVerdict } from "./find-rate.js";
import { lateShare, type LoadPlan } from "./load-plan.js";
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

/** What is known of requests while a step runs; of a stage, or of a shard. */
export type CountsSoFar = Pick<StageTally, "offered" | "bad" | "late">;

/**
 * Whether it is sure before the end that the objective is missed, and would be missed if every late
 * request had been good.
 */
export function isSurelyMissed({ share }: Objective, counts: readonly CountsSoFar[]): boolean {
  const offered = counts.reduce((sum, each) => sum + each.offered, 0);
  const bad = counts.reduce((sum, each) => sum + each.bad - each.late, 0);
  return offered - bad < requiredGood(share, offered);
}

/**
 * The rule by which a step ends early; undefined where every step runs to its end. Only a search has
 * no use for the rest of a step.
 */
export function earlyEndOf({
  objective,
  offer,
}: Pick<LoadPlan, "objective" | "offer">):
  | ((counts: readonly CountsSoFar[]) => boolean)
  | undefined {
  if (objective === null || offer.kind !== "find") return undefined;
  return (counts) => isSurelyMissed(objective, counts);
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
