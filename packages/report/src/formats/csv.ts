import type { ResultRecord } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";
import { stringify } from "csv-stringify/sync";
import type { ExportedFile } from "./exported-file.js";
import { sheetsOf, type SheetValue } from "./sheets.js";

/**
 * The sheets as CSV (RFC 4180). A text that a spreadsheet would take for a formula
 * gets an apostrophe before it; numbers stay as they are.
 */
export function renderCsv(record: ResultRecord): ExportedFile[] {
  return sheetsOf(record).map(({ name, head, rows }) => ({
    name: `${name}.csv`,
    content: stringify([[...head], ...rows.map((row) => row.map(textOf))], {
      escape_formulas: true,
      record_delimiter: "windows",
    }),
  }));
}

function textOf(value: SheetValue): SheetValue {
  return typeof value === "string" ? printable(value) : value;
}
