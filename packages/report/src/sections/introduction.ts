import type { ResultRecord } from "@streamgauge/bench/record";
import { escapeMarkdown, list } from "../text/markdown-text.js";
import { hasSeveralProcesses } from "./section.js";

/** Which run this is, and what a reader should know before believing its numbers. */
export function introduction(record: ResultRecord): string {
  const { startedAt, endedAt, status, profile, seed, cells, failedMeasurements = [] } = record;
  const samples = hasSeveralProcesses(record) ? "Blocks or means of processes" : "Blocks";
  const failed = cells.filter(({ failure }) => failure !== null);
  return [
    "# Benchmarks",
    "<!-- Written by `pnpm report` from a result record. Do not edit: run it again. -->",
    escapeMarkdown(
      `What it costs to receive tokens one by one instead of all at the end. Run of ${startedAt} ` +
        `to ${endedAt ?? "?"}, profile ${profile}, seed ${seed}, ${status}. ` +
        `Intervals are 95 %, two-sided. ${samples} are the samples, never tokens.`,
    ),
    list([
      ...failed.map(({ id, failure }) => `Failed: ${id}. ${failure?.code}: ${failure?.message}`),
      ...failedMeasurements.map(({ id, code, message }) => `Failed: ${id}. ${code}: ${message}`),
      ...cells
        .filter(({ warmUp, blocks }) => blocks.length > 0 && !warmUp.steady)
        .map(({ id, warmUp }) => {
          return `Not steady: ${id} was still trending after ${warmUp.blocksDropped} warm-up blocks.`;
        }),
    ]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
