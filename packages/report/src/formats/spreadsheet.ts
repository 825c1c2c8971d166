import type { ResultRecord } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";
import { unzipSync, zipSync } from "fflate";
import writeWorkbook, { type Cell } from "write-excel-file/node";
import { sheetsOf, type SheetValue } from "./sheets.js";

/** What Excel takes in one cell. */
const longestText = 32_767;

/**
 * The sheets as `.xlsx`: numbers are number cells, texts are text cells whatever they
 * begin with, there is no formula, and heads stay in view.
 */
export async function renderSpreadsheet(record: ResultRecord): Promise<Uint8Array> {
  const workbook = await writeWorkbook(
    sheetsOf(record).map(({ name, head, rows }) => ({
      sheet: name,
      stickyRowsCount: 1,
      columns: head.map((title) => ({ width: Math.max(10, title.length + 2) })),
      data: [
        head.map((title) => ({ value: title, type: String, fontWeight: "bold" as const })),
        ...rows.map((row) => row.map(cellOf)),
      ],
    })),
  ).toBuffer();
  // Packed again because the library stamps the entries with the present: the same
  // record has to give the same bytes.
  return zipSync(unzipSync(workbook), { mtime: new Date(1980, 0, 1) });
}

function cellOf(value: SheetValue): Cell {
  if (value === null || value === "") return null;
  if (typeof value === "number") return { value, type: Number };
  return { value: workbookText(value), type: String };
}

/**
 * A text as a workbook has it, where `_x0041_` means A. The library keeps texts as
 * keys of an object and loses `constructor` and its like: those are written in
 * that form, too. XML 1.0 has no way to write most controls, nor half a surrogate pair.
 */
function workbookText(text: string): string {
  const written = printable(text.slice(0, longestText))
    .replaceAll(/[\uFFFE\uFFFF]/g, "\uFFFD")
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_");
  if (!(written in Object.prototype)) return written;
  const code = written.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase();
  return `_x${code}_${written.slice(1)}`;
}
