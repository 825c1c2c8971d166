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

/** The same without a heading; empty without a claim. */
export function tokenTimesBlock(record: ResultRecord): string {
  const table = tokenTimes(record);
  if (table.rows.length === 0) return "";
  const { columns, rows } = shownIn("terminal", table);
  return [
    alignedTable(
      columns.map(({ head }) => head),
      rows.map(({ values }) => values.map(showValue)),
    ),
    list(notesOf(table)),
  ].join("\n\n");
}

function notesOf(table: Table): string[] {
  return notesIn("document", table).map(showValue);
}
