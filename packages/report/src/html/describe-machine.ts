import type { ResultRecord } from "@streamgauge/bench/record";

/** A machine and what ran on it, in a line without a full stop; not escaped. */
export function describeMachine({
  cpuModel,
  logicalCores,
  operatingSystem,
  nodeVersion,
  git,
}: ResultRecord["environment"]): string {
  const commit =
    git === null ? "" : `, commit ${git.commit.slice(0, 12)}${git.dirty ? " with changes" : ""}`;
  return `${cpuModel}, ${logicalCores} logical cores, ${operatingSystem}, Node ${nodeVersion}${commit}`;
}
