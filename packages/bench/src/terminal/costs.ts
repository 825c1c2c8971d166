import type { Cell, Comparison, ResultRecord, Treatment } from "../record/index.js";
import { oneDecimal, percentWithInterval, withInterval } from "./numbers.js";
import {
  cellColumns,
  cellHead,
  comparisonOf,
  showProcesses,
  titledTable,
  type SummaryOptions,
} from "./table.js";

/** What streaming costs per token in each cell, and what the user's code takes of it. */
export function costs({ cells }: ResultRecord, options: SummaryOptions): string[] {
  const analysed = cells.filter(({ analysis }) => analysis !== null);
  const rows = analysed.map((cell) => {
    const both = [comparisonOf(cell, "stream"), comparisonOf(cell, "streamAsync")];
    return [
      ...cellColumns(cell),
      (cell.analysis?.treatments[0]?.throughputTokensPerSecond ?? 0).toFixed(0),
      ...both.map(showCost),
      showControl(comparisonOf(cell, "control")),
      String(cell.blocks.length),
      showCallbacks(cell),
      showProcesses(...both.filter((comparison) => comparison !== undefined)),
    ];
  });
  const isTimed = analysed.some((cell) => showCallbacks(cell) !== "");
  const results = ["tokens/s", "sync stream", "async stream", "control", "blocks"];
  return titledTable(
    "Absolute cost of streaming, µs per token [95 %]; tokens/s: of generate(); control: it against itself" +
      (isTimed ? "; callback: the user's code in it, sync / async:" : ":"),
    [...cellHead, ...results, "callback", "processes"],
    rows,
    options,
  );
}

function showCost(comparison: Comparison | undefined): string {
  if (comparison === undefined) return "-";
  return withInterval(comparison.costMicrosecondsPerToken.hodgesLehmann);
}

function showControl(comparison: Comparison | undefined): string {
  return comparison === undefined ? "-" : percentWithInterval(comparison.overhead.hodgesLehmann);
}

/** In the two streaming modes; empty where it is not timed. */
function showCallbacks({ analysis }: Cell): string {
  const timeOf = (treatment: Treatment): number | undefined =>
    analysis?.treatments.find((summary) => summary.treatment === treatment)
      ?.callbackMicrosecondsPerToken;
  const both = [timeOf("stream"), timeOf("streamAsync")];
  if (both.every((microseconds) => microseconds === undefined)) return "";
  return both
    .map((microseconds) => (microseconds === undefined ? "-" : oneDecimal(microseconds)))
    .join(" / ");
}
