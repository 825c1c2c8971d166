import type { ResultRecord } from "@streamgauge/bench/record";
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
  return { value: withoutControls(value).slice(0, longestText), type: String };
}

/** XML 1.0 has no way to write most of them, nor half a surrogate pair. */
function withoutControls(text: string): string {
  return text.replaceAll(/(?![\t\n\r])[\p{Control}\p{Surrogate}\uFFFE\uFFFF]/gu, "\uFFFD");
}
