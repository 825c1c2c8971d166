import type { LoadStage, StageCounts } from "../record/index.js";

/** Counts over all stages, or over all shares of one. */
export function totalsOf(stages: readonly StageCounts[]): StageCounts {
  return {
    offered: totalOf(stages, "offered"),
    arrived: totalOf(stages, "arrived"),
    completed: totalOf(stages, "completed"),
    failed: totalOf(stages, "failed"),
    interrupted: totalOf(stages, "interrupted"),
    late: totalOf(stages, "late"),
    good: totalOf(stages, "good"),
  };
}

/** A field added up. */
export function totalOf<Field extends string>(
  stages: readonly Readonly<Record<Field, number>>[],
  field: Field,
): number {
  return stages.reduce((sum, stage) => sum + stage[field], 0);
}

/** Failed requests by kind, over all stages; by name, so that the same counts are the same record. */
export function errorsOf(stages: readonly Pick<LoadStage, "errors">[]): LoadStage["errors"] {
  const errors = new Map<string, number>();
  for (const [kind, count] of stages.flatMap((stage) => Object.entries(stage.errors))) {
    errors.set(kind, (errors.get(kind) ?? 0) + count);
  }
  return sortedByName(errors);
}

/** By name, so that the same counts are the same record. */
export function sortedByName(
  counts: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
