import type { AsyncActivityFindings } from "../record/index.js";
import type { ThreadReport } from "./thread-report.js";
import { groupBy } from "./group-by.js";

/** @param tokens made while the reports were taken, all together */
export function summarizeAsyncActivity(
  reports: readonly ThreadReport<"asyncActivity">[],
  tokens: number,
): AsyncActivityFindings {
  return {
    kind: "asyncActivity",
    threads: [...groupBy(reports, ({ thread }) => thread)].map(([thread, own]) => ({
      thread,
      promisesPerToken: own.reduce((sum, { report }) => sum + report.promises, 0) / tokens,
      reactionMicrosecondsPerToken:
        (own.reduce((sum, { report }) => sum + report.reactionMilliseconds, 0) * 1000) / tokens,
    })),
  };
}
