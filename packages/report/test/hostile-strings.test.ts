import { parse } from "csv-parse/sync";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { strFromU8, unzipSync } from "fflate";
import { HistogramLogReader } from "hdr-histogram-js";
import readWorkbook from "read-excel-file/node";
import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { exportableRecord, exportedFiles, exportedText } from "./exported.js";

const hostile = [
  `=HYPERLINK("http://x.invalid","y")`,
  "+1+cmd|' /C calc'!A0",
  "-2+3",
  "@SUM(1,2)",
  `<script>alert("1")</script>]]>&amp;`,
  "two\nlines\r\nTag=x,1,2,3,HIST",
  "../../etc/passwd",
  String.raw`C:\windows\system32`,
  "__proto__",
  "nul\u0000 bell\u0007 escape\u001b[31m",
  "half \uD800 a pair",
] as const;

let record: ResultRecord;
beforeAll(async () => {
  const whole = await exportableRecord();
  const [template] = whole.cells;
  const [claim] = whole.claims;
  record = {
    ...whole,
    runId: hostile[5],
    profile: hostile[4],
    environment: {
      ...whole.environment,
      cpuModel: hostile[5],
      operatingSystem: hostile[0],
      nodeVersion: hostile[9],
      advice: [...hostile],
    },
    cells: hostile.map((text) => ({ ...template!, id: text, model: text })),
    claims: hostile.map((text, index) => ({
      ...claim!,
      id: text,
      cell: text,
      verdict: index % 2 === 0 ? "refuted" : "void",
      reasons: [text, text],
    })),
  };
});

describe("a record of hostile strings", () => {
  it("gives names of files that lead nowhere else, none twice", async () => {
    for (const format of ["csv", "ndjson", "parquet", "hgrm", "vllm", "aiperf"]) {
      const files = await exportedFiles(format, record);
      for (const { name } of files) expect(name).toMatch(/^[\w-]+(\.[\w-]+)+$/);
      const names = new Set(files.map(({ name }) => name.toLowerCase()));
      expect([format, names.size]).toEqual([format, files.length]);
    }
  });

  it("gives text cells and no formula in a spreadsheet", async () => {
    const [file] = await exportedFiles("xlsx", record);
    const entries = unzipSync(file!.content as Uint8Array);
    for (const [name, bytes] of Object.entries(entries)) {
      expect([name, XMLValidator.validate(strFromU8(bytes))]).toEqual([name, true]);
      // oxlint-disable-next-line no-control-regex
      expect(strFromU8(bytes)).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]|<f[ >]/);
    }
    const sheets = await readWorkbook(Buffer.from(file!.content));
    const advice = sheets
      .find(({ sheet }) => sheet === "environment")!
      .data.flatMap(([what, value]) => (what === "advice" ? [value] : []));
    expect(advice.slice(0, 5)).toEqual(hostile.slice(0, 5));
    // ECMA-376, ST_Xstring: _x005F_ is a low line.
    expect(advice[8]).toMatch(/^(__proto__|_x005F__proto__)$/);
    expect(advice.every((value) => typeof value === "string")).toBe(true);
  });

  it("gives no CSV field that a spreadsheet would compute, and loses no line", async () => {
    for (const { content } of await exportedFiles("csv", record)) {
      const rows: string[][] = parse(String(content));
      for (const field of rows.flat()) {
        if (!/^-?\d/.test(field) || Number.isNaN(Number(field))) {
          expect(field).not.toMatch(/^[=+\-@\t\r]/);
        }
      }
    }
    const files = await exportedFiles("csv", record);
    const environment: string[][] = parse(
      String(files.find(({ name }) => name === "environment.csv")!.content),
    );
    expect(environment).toContainEqual(["advice", `'${hostile[0]}`]);
    expect(environment).toContainEqual(["advice", hostile[5]]);
  });

  it("gives JUnit XML whose texts are only texts", async () => {
    const xml = await exportedText("junit", record);
    expect(XMLValidator.validate(xml)).toBe(true);
    // oxlint-disable-next-line no-control-regex
    expect(xml).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]|\p{Surrogate}|<script/u);
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(xml);
    const cases = parsed.testsuites.testsuite.testcase;
    expect(cases).toHaveLength(hostile.length);
    expect(cases[4].failure["@_message"]).toContain(hostile[4]);
  });

  it("gives no further line in formats of lines", async () => {
    const log = await exportedText("hlog", record);
    const reader = new HistogramLogReader(log);
    let intervals = 0;
    while (reader.nextIntervalHistogram() !== null) intervals += 1;
    expect(intervals).toBe(record.cells.flatMap((cell) => cell.distributions).length);
    const lines = (await exportedText("benchstat", record)).split("\n");
    const runs = record.cells.flatMap((cell) => cell.blocks.flatMap((block) => block.runs));
    expect(lines.filter((line) => line.startsWith("Benchmark"))).toHaveLength(runs.length);
    expect(lines.filter((line) => line.startsWith("Tag="))).toEqual([]);
  });

  it("gives JSON with every name as it is", async () => {
    const bencher = JSON.parse(await exportedText("bencher", record));
    for (const text of hostile.slice(0, 9)) {
      expect(Object.keys(bencher)).toContain(`${text}/sync`);
    }
    const entries = JSON.parse(await exportedText("benchmark-action-bigger", record));
    expect(entries).toHaveLength(record.cells.length * 4);
  });
});
