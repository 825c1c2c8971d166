import type { ResultRecord } from "@streamgauge/bench/record";
import { hasSeveralProcesses } from "@streamgauge/bench/tables";
import { escapeMarkdown, list } from "../text/markdown-text.js";

/** Which run this is. */
export function introduction(record: ResultRecord): string {
  const { startedAt, endedAt, status, profile, seed } = record;
  const samples = hasSeveralProcesses(record) ? "blocks or means of processes" : "blocks";
  return escapeMarkdown(
    `What it costs to receive tokens one by one instead of all at the end. Run of ${startedAt} ` +
      `to ${endedAt ?? "?"}, profile ${profile}, seed ${seed}, ${status}. ` +
      `Intervals are 95 %, two-sided, over ${samples}, never over tokens. ` +
      "A negative cost, or end of an interval: the noise is larger than the cost. Pequod: the " +
      "embedded model. Paced: known tokens on a schedule. Pooled: in a worker thread; inline: in yours.",
  );
}

/** What a reader should know before believing the numbers. */
export function warnings({ cells, failedMeasurements = [] }: ResultRecord): string {
  const failed = cells.filter(({ failure }) => failure !== null);
  return list([
    ...failed.map(({ id, failure }) => `Failed: ${id}. ${failure?.code}: ${failure?.message}`),
    ...failedMeasurements.map(({ id, code, message }) => `Failed: ${id}. ${code}: ${message}`),
    ...cells
      .filter(({ warmUp, blocks }) => blocks.length > 0 && !warmUp.steady)
      .map(({ id, warmUp }) => {
        return `Not steady: the times of ${id} still drifted after ${warmUp.blocksDropped} warm-up blocks.`;
      }),
  ]);
}
