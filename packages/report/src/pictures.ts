import type { ResultRecord } from "@streamgauge/bench/record";
import { chartsOf } from "./charts/charts-of.js";
import { escapeMarkdown } from "./markdown-text.js";

/** Where the charts of a document are, relative to its folder. */
export const chartsFolder = "docs/charts";

/** The charts of a record, inline, each with what it shows in words. */
export function pictures(record: ResultRecord): string {
  const images = chartsOf(record).map(
    ({ name, title, description }) =>
      `![${escapeMarkdown(`${title}. ${description}`)}](${chartsFolder}/${name}.svg)`,
  );
  return images.length === 0 ? "" : ["## Charts", ...images].join("\n\n");
}
