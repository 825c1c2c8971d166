import type { ResultRecord } from "@streamgauge/bench/record";
import type { Chart } from "../charts/chart.js";
import { chartsOf } from "../charts/charts-of.js";
import { escapeMarkdown } from "../text/markdown-text.js";

/** Where the charts of a document are, relative to its folder. */
export const chartsFolder = "docs/charts";

/**
 * The charts of a record, inline, each with what it shows in words.
 *
 * @param folder where they are, relative to the document
 */
export function pictures(record: ResultRecord, folder: string): string {
  const images = chartsOf(record).map((chart) => picture(chart, folder));
  return images.length === 0 ? "" : ["## Charts", ...images].join("\n\n");
}

/** A chart, with what it shows in words. */
export function picture({ name, title, description }: Chart, folder: string): string {
  return `![${escapeMarkdown(`${title}. ${description}`)}](${folder}/${name}.svg)`;
}
