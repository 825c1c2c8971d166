import type { ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import { percentWithInterval } from "../text/numbers.js";
import { cellColumns, cellHead, section } from "./section.js";

/** The slow runs of each mode against those of `generate`; nothing where they were not compared. */
export function tails(record: ResultRecord): string {
  const rows = record.cells.flatMap((cell) =>
    (cell.tails ?? []).map(({ treatment, percent, overhead }) => [
      ...cellColumns(cell),
      modeNames[treatment],
      `p${percent}`,
      percentWithInterval(overhead),
      String(cell.blocks.length),
    ]),
  );
  return section(record, "Slow runs", rows, {
    head: [...cellHead, "mode", "percentile", "against generate", "blocks"],
    definitions: ["tail overhead"],
  });
}
