import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import type { RawBlock } from "@streamgauge/bench/record-file";
import { exportFormats, readRecord, samplesReader, type ReadSamples } from "@streamgauge/report";
import { writeSampledRun } from "../../bench/test/sampled-run.js";
import { exportableRecord, exportedFiles } from "./exported.js";
import { fixtureRecord } from "./fixture.js";

type Line = Readonly<Record<string, string | number | boolean | null>>;

let folder: string;
let record: ResultRecord;
let readSamples: ReadSamples;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "streamgauge-tables-"));
  record = await writeSampledRun(folder, await fixtureRecord());
  readSamples = samplesReader(await readRecord(folder));
});
afterAll(() => rm(folder, { recursive: true }));

async function linesOf(table: string, of: ResultRecord = record): Promise<Line[]> {
  const files = await exportedFiles("ndjson", of, readSamples);
  const text = String(files.find(({ name }) => name === `${table}.ndjson`)?.content);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

describe("long tables", () => {
  it("have a row for each cell, mode, run and delivered token", async () => {
    const runs = record.cells.flatMap(({ blocks }) => blocks.flatMap((block) => block.runs));
    expect(await linesOf("cells")).toHaveLength(record.cells.length);
    expect(await linesOf("modes")).toHaveLength(record.cells.length * 4);
    expect(await linesOf("runs")).toHaveLength(runs.length);
    const samples = await Promise.all(record.cells.map(readSamples));
    const delivered = samples
      .flat()
      .flatMap((block) => block.runs)
      .reduce((sum, run) => sum + run.deliveredNanoseconds.length, 0);
    expect(delivered).toBeGreaterThan(1000);
    expect(await linesOf("tokens")).toHaveLength(delivered);
  });

  it("have every column in every row", async () => {
    for (const table of ["cells", "modes", "runs", "tokens"]) {
      const lines = await linesOf(table);
      const names = new Set(lines.map((line) => Object.keys(line).join()));
      expect([table, names.size]).toEqual([table, 1]);
      // No unit stands alone, and none is abbreviated.
      for (const name of Object.keys(lines[0] ?? {})) {
        expect(name).toMatch(/^[a-z]+(_[a-z\d]+)*$/);
        expect(name).not.toMatch(/_(ns|us|ms|s)$/);
      }
    }
  });

  it("say of a token which one it is, and how long it took", async () => {
    const tokens = await linesOf("tokens");
    const [block] = await readSamples(record.cells[1]!);
    const position = block!.runs.findIndex(({ treatment }) => treatment === "stream");
    const delivered = [...block!.runs[position]!.deliveredNanoseconds];
    const own = tokens.filter(
      (line) =>
        line["cell"] === "two-streams-5" && line["block"] === 0 && line["position"] === position,
    );
    expect(own).toHaveLength(10);
    expect(own.map((line) => [line["stream"], line["token"]])).toEqual([
      ...[0, 1, 2, 3, 4].map((token) => [0, token]),
      ...[0, 1, 2, 3, 4].map((token) => [1, token]),
    ]);
    expect(own.map((line) => line["delivered_nanoseconds"])).toEqual(delivered);
    expect(own.map((line) => line["inter_token_latency_nanoseconds"])).toEqual(
      delivered.map((now, index) => (index % 5 === 0 ? null : now - delivered[index - 1]!)),
    );
    // This generator does not say when a token was made, and no callback was timed.
    for (const line of own) {
      expect(line).toMatchObject({
        delivery_latency_nanoseconds: null,
        callback_nanoseconds: null,
      });
    }
    const timed = tokens.filter((line) => line["cell"] === "timed-10");
    expect(timed.every((line) => typeof line["delivery_latency_nanoseconds"] === "number")).toBe(
      true,
    );
  });

  it("agree with the record's distributions", async () => {
    const tokens = await linesOf("tokens");
    for (const cell of record.cells) {
      for (const { treatment, metric, count, maximumNanoseconds } of cell.distributions) {
        const mode = treatment === "stream" ? "sync" : "async";
        const own = tokens.filter((line) => line["cell"] === cell.id && line["mode"] === mode);
        const values = own.flatMap((line) => {
          if (metric === "timeToFirstToken") {
            return line["token"] === 0 ? [line["delivered_nanoseconds"]] : [];
          }
          const value = line[columnOf[metric]];
          return value === null ? [] : [value];
        });
        expect([cell.id, mode, metric, values.length]).toEqual([cell.id, mode, metric, count]);
        // A histogram has three significant digits.
        expect(Math.max(...values.map(Number)) / maximumNanoseconds).toBeCloseTo(1, 2);
      }
    }
  });

  it("count the tokens that a run made where its cell does not say", async () => {
    const runs = await linesOf("runs");
    const made = (cell: string) =>
      runs.filter((line) => line["cell"] === cell).map((line) => line["tokens"]);
    expect(new Set(made("timed-10"))).toEqual(new Set([10]));
    expect(new Set(made("two-streams-5"))).toEqual(new Set([10]));
    expect(made("natural-12")).toEqual(
      record.cells[2]!.blocks.flatMap((block) => block.runs.map((run) => run.tokens)),
    );
  });

  it("are the same bytes again, and hold no rows where there is nothing", async () => {
    for (const format of ["ndjson", "parquet"]) {
      const [first, second] = await Promise.all(
        [1, 2].map(() => exportedFiles(format, record, readSamples)),
      );
      expect(second).toEqual(first);
      const none = await exportedFiles(format, { ...record, cells: [] });
      expect(none).toHaveLength(4);
    }
  });

  it("have clean text, on one line", async () => {
    const dirty = "a\u001B[31m\u009Bb\u202E\uD800\n=1+1";
    const cells = record.cells.slice(0, 1).map((cell) => ({ ...cell, id: dirty, model: dirty }));
    const files = await exportedFiles("ndjson", { ...record, cells });
    const [line = "", rest] = String(files[0]?.content).split("\n");
    expect(JSON.parse(line)).toMatchObject({ cell: "a\uFFFD[31m\uFFFDb\uFFFD\uFFFD\n=1+1" });
    expect(rest).toBe("");
  });

  it("refuse a record whose numbers cannot be of their type", async () => {
    const [cell] = record.cells;
    for (const tokens of [1.5, 2 ** 60]) {
      const wrong = { ...record, cells: [{ ...cell!, tokens }] };
      for (const format of ["ndjson", "parquet"]) {
        await expect(exportedFiles(format, wrong)).rejects.toMatchObject({
          code: "INVALID_RECORD",
          message: expect.stringContaining(`tokens is ${tokens}, and must be a whole number`),
        });
      }
    }
    const undated = { ...record, startedAt: "yesterday" };
    await expect(exportedFiles("parquet", undated)).rejects.toThrow('started_at is "yesterday"');
  });

  it.each(["ndjson", "parquet"])("hold the samples of one cell at a time as %s", async (name) => {
    const events: string[] = [];
    const format = exportFormats.find((candidate) => candidate.name === name);
    if (format === undefined || !("streamFiles" in format)) expect.fail("not streamed");
    const files = await format.streamFiles({
      record,
      readSamples: async ({ id }) => {
        events.push(id);
        return await Promise.resolve(manyTokens);
      },
    });
    for await (const _ of files[3]!.content) events.push("piece");
    expect(events.filter((event) => event !== "piece")).toEqual(record.cells.map(({ id }) => id));
    // What the first cell has is handed on before the second is read.
    expect(events.indexOf("piece")).toBeLessThan(events.indexOf("two-streams-5"));
    expect(events.at(-1)).toBe("piece");
  });

  it("are made for records of before", async () => {
    for (const format of ["ndjson", "parquet"]) {
      expect(await exportedFiles(format, await exportableRecord())).toHaveLength(4);
    }
  });

  it("name the file of samples that is damaged", async () => {
    const copy = await mkdtemp(join(tmpdir(), "streamgauge-damaged-"));
    try {
      await writeSampledRun(copy, await fixtureRecord());
      const reader = samplesReader(await readRecord(copy));
      await truncate(join(copy, "raw", "natural-12.bin.gz"), 50);
      await expect(exportedFiles("ndjson", record, reader)).rejects.toMatchObject({
        code: "INVALID_RAW_SAMPLES",
        message: expect.stringContaining("raw/natural-12.bin.gz"),
      });
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});

/** More than a group of rows, in one run. */
const manyTokens: readonly RawBlock[] = [
  {
    process: 0,
    runs: [
      {
        treatment: "stream",
        endToEndNanoseconds: 1e9,
        cpuMicroseconds: 1e6,
        eventLoopUtilization: 1,
        memory: { residentBytes: 1, heapUsedBytes: 1, externalBytes: 1, arrayBufferBytes: 1 },
        deliveredNanoseconds: Float64Array.from({ length: 40_000 }, (_, index) => index * 20_000),
        producedNanoseconds: Float64Array.from({ length: 40_000 }, () => Number.NaN),
        callbackNanoseconds: new Float64Array(0),
      },
    ],
  },
];

const columnOf = {
  interTokenLatency: "inter_token_latency_nanoseconds",
  deliveryLatency: "delivery_latency_nanoseconds",
  callbackTime: "callback_nanoseconds",
} as const;
