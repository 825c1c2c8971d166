import type { ResultRecord } from "@streamgauge/bench/record";
import { notesIn, shownIn, tokenTimes, type Table } from "@streamgauge/bench/tables";
import { alignedTable } from "../text/aligned-table.js";
import { list } from "../text/markdown-text.js";
import { showValue } from "../text/show-value.js";
import { briefSection } from "./section.js";

/** What streaming costs by the time of a token, with the terms, as a section; nothing without a claim. */
export function tokenTimesSection(record: ResultRecord): string {
  const table = tokenTimes(record);
  return briefSection(table, notesOf(table));
}

/**
 * The same without a heading; empty without a claim.
 *
 * @param at only the rows of these times of a token, such as `20 ms`, and no terms
 */
export function tokenTimesBlock(record: ResultRecord, at?: readonly string[]): string {
  const table = tokenTimes(record);
  const { columns, rows } = shownIn("terminal", table);
  const cells = rows.map(({ values }) => values.map(showValue));
  const chosen = cells.filter(([time = ""]) => at?.includes(time) ?? true);
  if (chosen.length === 0) return "";
  const drawn = alignedTable(
    columns.map(({ head }) => head),
    chosen,
  );
  return at === undefined ? [drawn, list(notesOf(table))].join("\n\n") : drawn;
}

function notesOf(table: Table): string[] {
  return notesIn("document", table).map(showValue);
}
