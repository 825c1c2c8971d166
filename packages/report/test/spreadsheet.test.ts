import { parse } from "csv-parse/sync";
import { strFromU8, unzipSync } from "fflate";
import readWorkbook from "read-excel-file/node";
import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { exportableRecord, exportedFiles } from "./exported.js";

let record: ResultRecord;
let workbook: Uint8Array;
beforeAll(async () => {
  record = await exportableRecord();
  const [file] = await exportedFiles("xlsx", record);
  workbook = file!.content as Uint8Array;
});

async function sheetsIn(bytes: Uint8Array) {
  const sheets = await readWorkbook(Buffer.from(bytes));
  return new Map(sheets.map(({ sheet, data }) => [sheet, data]));
}

describe("the spreadsheet", () => {
  it("has its four sheets, with numbers as numbers", async () => {
    const sheets = await sheetsIn(workbook);
    expect([...sheets.keys()]).toEqual(["summary", "blocks", "percentiles", "environment"]);
    const blocks = sheets.get("blocks")!;
    const runs = record.cells.flatMap((cell) => cell.blocks.flatMap((block) => block.runs));
    expect(blocks).toHaveLength(1 + runs.length);
    const column = blocks[0]!.indexOf("end-to-end (ns)");
    expect(blocks.slice(1).map((row) => row[column])).toEqual(
      runs.map(({ endToEndNanoseconds }) => endToEndNanoseconds),
    );
    const summary = sheets.get("summary")!;
    const lower = summary[0]!.indexOf("overhead, 95 % lower");
    expect(summary[2]![lower]).toBe(
      record.cells[0]!.analysis!.comparisons.find(({ treatment }) => treatment === "control")!
        .overhead.hodgesLehmann.interval95.lower,
    );
    expect(sheets.get("environment")).toContainEqual(["CPU", record.environment.cpuModel]);
  });

  it("keeps heads in view, and has no formula", () => {
    const sheets = Object.entries(unzipSync(workbook)).filter(([name]) =>
      name.startsWith("xl/worksheets/sheet"),
    );
    expect(sheets).toHaveLength(4);
    for (const [, bytes] of sheets) {
      expect(strFromU8(bytes)).toMatch(/<pane [^>]*ySplit="1"[^>]*state="frozen"/);
      expect(strFromU8(bytes)).not.toMatch(/<f[ >]/);
    }
  });

  it("has the same bytes for the same record", async () => {
    const [again] = await exportedFiles("xlsx", record);
    expect(Buffer.compare(workbook, again!.content as Uint8Array)).toBe(0);
    // Entries would otherwise carry the time at which they were packed.
    expect(Buffer.from(workbook).readUInt16LE(12)).toBe(0x21);
  });
});

describe("the CSV files", () => {
  it("hold what the sheets hold", async () => {
    const sheets = await sheetsIn(workbook);
    for (const { name, content } of await exportedFiles("csv", record)) {
      const rows: string[][] = parse(String(content));
      const sheet = sheets.get(name.replace(".csv", ""))!;
      expect(rows).toEqual(
        sheet.map((row) => row.map((value) => (value === null ? "" : String(value)))),
      );
    }
  });
});
