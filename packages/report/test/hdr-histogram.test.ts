import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { HistogramLogReader, decodeFromCompressedBase64, listTags } from "hdr-histogram-js";
import { exportableRecord, exportedFiles, exportedText } from "./exported.js";

let record: ResultRecord;
beforeAll(async () => {
  record = await exportableRecord();
});

describe("the HdrHistogram log", () => {
  it("is read back by the library's own reader, with every distribution", async () => {
    const log = await exportedText("hlog", record);
    const reader = new HistogramLogReader(log);
    for (const cell of record.cells) {
      for (const of of cell.distributions) {
        const read = reader.nextIntervalHistogram();
        const written = decodeFromCompressedBase64(of.histogram);
        expect(read?.totalCount).toBe(written.totalCount);
        expect(read?.maxValue).toBe(written.maxValue);
        expect(read?.getValueAtPercentile(99)).toBe(written.getValueAtPercentile(99));
        expect(read?.startTimeStampMsec).toBeCloseTo(Date.parse(record.startedAt), -1);
        const mode = { generate: "", control: "", stream: "sync", streamAsync: "async" };
        expect(read?.tag).toBe(`${cell.id}/${mode[of.treatment]}/${of.metric}`);
      }
    }
    expect(reader.nextIntervalHistogram()).toBeNull();
    expect(listTags(log)).toContain("pequod-pooled-10/sync/interTokenLatency");
  });

  it("refuses a histogram that cannot be decoded", async () => {
    const [cell] = record.cells;
    const distributions = cell!.distributions.map((of) => ({ ...of, histogram: "HIST" }));
    const damaged = { ...record, cells: [{ ...cell!, distributions }] };
    await expect(exportedText("hlog", damaged)).rejects.toThrow(/histogram cannot be decoded/);
  });
});

describe("the percentile texts", () => {
  it("have a file for each distribution, whose lines are the histogram's in µs", async () => {
    const files = await exportedFiles("hgrm", record);
    expect(files).toHaveLength(record.cells.flatMap(({ distributions }) => distributions).length);
    const file = files.find(
      ({ name }) => name === "pequod-pooled-10.sync.interTokenLatency.microseconds.hgrm",
    );
    const text = String(file?.content);
    // The form that HdrHistogram's plotFiles.html reads: a head, four columns, then comments.
    expect(text).toMatch(/^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)\n\n/);
    const rows = text.split("\n").filter((line) => /^ *\d/.test(line));
    for (const row of rows) expect(row).toMatch(/^ *\d+\.\d{3} [01]\.\d{12} +\d+( +\d+\.\d\d)?$/);
    const written = record.cells[0]!.distributions.find(
      ({ treatment, metric }) => treatment === "stream" && metric === "interTokenLatency",
    )!;
    const median = rows.find((row) => row.includes(" 0.500000000000 "));
    expect(written.count).toBe(Number(rows.at(-1)?.trim().split(/ +/)[2]));
    expect(Number(median?.trim().split(/ +/)[0])).toBeCloseTo(
      decodeFromCompressedBase64(written.histogram).getValueAtPercentile(50) / 1e3,
      3,
    );
  });
});
