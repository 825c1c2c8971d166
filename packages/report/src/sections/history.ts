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
    "Time per token from commit to commit, from `results/history`. Each class of machines has its own " +
      "chart. A line marks a commit where the level surely changes (p ≤ 0.02); that takes " +
      `${fewestCommits} commits. A class is not one machine, and a shared machine is not always as ` +
      "fast. The overhead of streaming, in percent, changes less: `pnpm streamgauge history` lists " +
      "it, and every other metric.",
    ...images,
  ].join("\n\n");
}
