import { measurementId } from "./execution.js";
import type { Preset } from "./presets.js";
import type { Stage } from "../plan/stage.js";
import { identityOf, type RunPlan } from "../record/index.js";

/**
 * All that a whole run has.
 *
 * @param stages of its first process, nothing left out
 */
export function plannedOf(
  stages: readonly Stage[],
  { lookAtProcesses, processesOf = {} }: Pick<Preset, "lookAtProcesses" | "processesOf">,
): Required<Pick<RunPlan, "cells" | "measurements" | "added">> {
  const most = lookAtProcesses.at(-1) ?? 1;
  return {
    cells: stages.flatMap(({ cells, counterpart }) =>
      [...cells, ...(counterpart?.cells ?? [])].map((cell) => ({
        ...identityOf(cell),
        blocks: cell.blocks,
        processes: Math.min(most, processesOf[cell.scenario] ?? Infinity),
      })),
    ),
    measurements: stages.flatMap((stage) =>
      stage.measurements.map((plan) => ({
        id: measurementId(stage, plan),
        promises: plan.promises ?? [],
      })),
    ),
    added: [],
  };
}
