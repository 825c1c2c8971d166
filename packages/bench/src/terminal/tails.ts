import type { Cell, ResultRecord, TailComparison } from "../record/index.js";
import { percentWithInterval } from "./numbers.js";
import { cellColumns, cellHead, titledTable, type SummaryOptions } from "./table.js";

/** How much longer the slow runs of each mode take than those of `generate()`. */
export function tails({ cells }: ResultRecord, options: SummaryOptions): string[] {
  const rows = cells
    .filter(({ tails: compared = [] }) => compared.length > 0)
    .map((cell) => [
      ...cellColumns(cell),
      ...(["stream", "streamAsync", "control"] as const).map((mode) => showTail(cell, mode)),
      String(cell.blocks.length),
    ]);
  return titledTable(
    "The slow runs: 95th percentile of end-to-end latency against that of generate() [95 %]:",
    [...cellHead, "sync stream", "async stream", "control", "blocks"],
    rows,
    options,
  );
}

function showTail({ tails: compared = [] }: Cell, treatment: TailComparison["treatment"]): string {
  const found = compared.find((tail) => tail.treatment === treatment);
  return found === undefined ? "-" : percentWithInterval(found.overhead);
}
