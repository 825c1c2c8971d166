import { fewestCommits } from "@streamgauge/bench/history";
import { historyTrends } from "../charts/history-trend.js";
import type { CommittedResults } from "../files/committed-results.js";
import { picture } from "./pictures.js";

/** How times developed from commit to commit, a chart for each class of machines. */
export function history({ histories }: CommittedResults, folder: string): string {
  const images = historyTrends(histories).map((chart) => picture(chart, folder));
  if (images.length === 0) return "";
  return [
    "## History",
    "Time per token from commit to commit, from `results/history`. Classes of machines are never " +
      "mixed: each has a chart of its own. A line marks a commit where the level surely changes " +
      `(p ≤ 0.02), which takes ${fewestCommits} commits. A class is not one machine, and a shared ` +
      "machine is not always as fast: what streaming adds, in percent, changes less, and " +
      "`pnpm streamgauge history` lists that and every other metric.",
    ...images,
  ].join("\n\n");
}
