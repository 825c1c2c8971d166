// What docs/data.md says, done: its queries run in DuckDB over both formats, as they stand there.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DistributionMetric, ResultRecord } from "@streamgauge/bench/record";
import { readRecord, samplesReader, type ReadSamples } from "@streamgauge/report";
import { writeSampledRun } from "../../bench/test/sampled-run.js";
import { exportedFiles } from "./exported.js";
import { fixtureRecord } from "./fixture.js";

const bin = fileURLToPath(new URL("../bin/streamgauge-report.js", import.meta.url));
const formats = ["parquet", "ndjson"] as const;
const treatments = { sync: "stream", async: "streamAsync", control: "control" } as const;

type Row = Readonly<Record<string, unknown>>;

let page: string;
let folder: string;
let record: ResultRecord;
let readSamples: ReadSamples;
beforeAll(async () => {
  page = await readFile(new URL("../../../docs/data.md", import.meta.url), "utf8");
  folder = await mkdtemp(join(tmpdir(), "streamgauge-data-"));
  record = await writeSampledRun(folder, await fixtureRecord());
  readSamples = samplesReader(await readRecord(folder));
  for (const format of formats) {
    const flags = ["export", "--format", format, "--record", folder, "--out", "data"];
    await promisify(execFile)(process.execPath, [bin, ...flags], { cwd: folder });
  }
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

/** The block of SQL that has this name on the page. */
function sqlOf(name: string): string {
  const [, sql] = new RegExp(`^\`\`\`sql ${name}\\n([^]*?)^\`\`\`$`, "m").exec(page) ?? [];
  if (sql === undefined) throw new Error(`docs/data.md has no query "${name}".`);
  // DuckDB looks for files where the process is.
  return sql.replaceAll("'data/", `'${join(folder, "data").replaceAll("'", "''")}/`);
}

/** The names and types of a table's columns on the page. */
function columnsOf(table: string): string[][] {
  const [, section = ""] = new RegExp(`^### ${table}\\n([^]*?)(^#|$(?![^]))`, "m").exec(page) ?? [];
  return [...section.matchAll(/^\| `(\w+)` +\| (\w+) +\|/gm)].map(([, name = "", type = ""]) => [
    name,
    type,
  ]);
}

describe.each(formats)("the page's queries on %s", (format) => {
  let instance: DuckDBInstance;
  let connection: DuckDBConnection;
  beforeAll(async () => {
    // Nothing is loaded from anywhere: what is not in the package is not used.
    instance = await DuckDBInstance.create(":memory:", {
      autoinstall_known_extensions: "false",
      threads: "1",
    });
    connection = await instance.connect();
    await connection.run(sqlOf(format));
  });
  afterAll(() => {
    connection.closeSync();
    instance.closeSync();
  });

  const ask = async (sql: string): Promise<readonly Row[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJS();

  it("give the record's overheads", async () => {
    const rows = await ask(sqlOf("overhead"));
    expect(rows).toHaveLength(record.cells.length * 3);
    for (const { cell, mode, overhead, recorded, cost_microseconds_per_token } of rows) {
      const comparison = record.cells
        .find(({ id }) => id === cell)
        ?.analysis?.comparisons.find(
          ({ treatment }) => treatment === treatments[mode as keyof typeof treatments],
        );
      expect(comparison?.processes).toBe(9);
      expect(overhead).toBeCloseTo(comparison!.overhead.mean.value, 12);
      expect(recorded).toBe(comparison!.overhead.mean.value);
      expect(cost_microseconds_per_token).toBe(comparison!.costMicrosecondsPerToken.mean.value);
    }
  });

  const distributionOf = (cell: unknown, mode: unknown, metric: DistributionMetric) =>
    record.cells
      .find(({ id }) => id === cell)!
      .distributions.find(
        (of) =>
          of.metric === metric && of.treatment === treatments[mode as keyof typeof treatments],
      )!;

  it("give the record's gaps", async () => {
    const rows = await ask(sqlOf("gaps"));
    expect(rows).toHaveLength(record.cells.length * 2);
    for (const row of rows) {
      const of = distributionOf(row["cell"], row["mode"], "interTokenLatency");
      expect(row["gaps"]).toBe(BigInt(of.count));
      // Histograms have three significant digits, and their percentiles are of the upper neighbour.
      expect((row["mean_microseconds"] as number) / (of.meanNanoseconds / 1e3)).toBeCloseTo(1, 2);
      expect((row["p50_microseconds"] as number) / (of.p50Nanoseconds / 1e3)).toBeCloseTo(1, 1);
      expect((row["longest_microseconds"] as number) / (of.maximumNanoseconds / 1e3)).toBeCloseTo(
        1,
        2,
      );
      expect(row["host"]).toBe("pooled");
    }
  });

  it("find the longest gaps", async () => {
    const rows = await ask(sqlOf("stalls"));
    expect(rows).toHaveLength(10);
    const longest = record.cells.flatMap(({ distributions }) =>
      distributions.flatMap((of) =>
        of.metric === "interTokenLatency" ? [of.maximumNanoseconds / 1e6] : [],
      ),
    );
    const [first] = rows;
    expect((first!["gap_milliseconds"] as number) / Math.max(...longest)).toBeCloseTo(1, 2);
    for (const { share_of_run, token } of rows) {
      expect(share_of_run).toBeGreaterThan(0.1);
      expect(share_of_run).toBeLessThan(1);
      expect(token).toBeGreaterThan(0n);
    }
  });

  it.each(["cells", "modes", "runs", "tokens"])("have the columns of %s", async (table) => {
    const found = await ask(`SELECT column_name, column_type FROM (DESCRIBE ${table})`);
    const expected = columnsOf(table);
    expect(expected.length).toBeGreaterThan(10);
    expect(found.map(({ column_name }) => column_name)).toEqual(expected.map(([name]) => name));
    for (const [index, { column_name, column_type }] of found.entries()) {
      const type = expected[index]?.[1] ?? "";
      // Lines have no types: DuckDB takes an empty column for JSON, and whole numbers for integers.
      const loose = type === "number" ? ["JSON", "BIGINT"] : ["JSON"];
      const allowed = [...(typeNames[type] ?? []), ...(format === "ndjson" ? loose : [])];
      expect([column_name, allowed]).toEqual([column_name, expect.arrayContaining([column_type])]);
    }
  });
});

it("Parquet of several groups of rows is read whole", async () => {
  const delivered = Float64Array.from({ length: 70_000 }, (_, index) => index * 20_000);
  const [samples] = await readSamples(record.cells[0]!);
  const run = samples!.runs.find(({ treatment }) => treatment === "stream")!;
  const long = [{ process: 0, runs: [{ ...run, deliveredNanoseconds: delivered }] }];
  const one = { ...record, cells: record.cells.slice(0, 1) };
  const files = await exportedFiles("parquet", one, () => Promise.resolve(long));
  const path = join(folder, "long.parquet");
  await writeFile(path, files.find(({ name }) => name === "tokens.parquet")!.content);
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*) AS tokens, max(delivered_nanoseconds) AS last,
       sum(inter_token_latency_nanoseconds) AS gaps, count(callback_nanoseconds) AS callbacks
     FROM '${path.replaceAll("'", "''")}'`,
  );
  expect(reader.getRowObjectsJS()).toEqual([
    { tokens: 70_000n, last: 1_399_980_000n, gaps: 1_399_980_000n, callbacks: 10n },
  ]);
  connection.closeSync();
  instance.closeSync();
});

/** The page's types as DuckDB has them. */
const typeNames: Readonly<Record<string, readonly string[]>> = {
  text: ["VARCHAR"],
  integer: ["BIGINT"],
  number: ["DOUBLE"],
  boolean: ["BOOLEAN"],
  time: ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"],
};
