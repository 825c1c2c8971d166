import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { z } from "zod";
import { exportableRecord, exportedText } from "./exported.js";

let record: ResultRecord;
beforeAll(async () => {
  record = await exportableRecord();
});

/** `BenchmarkResult` in github-action-benchmark's README, "customBiggerIsBetter". */
const benchmarkActionSchema = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      unit: z.string().min(1),
      value: z.number(),
      range: z.string().optional(),
      extra: z.string().optional(),
    }),
  )
  .min(1);

/** https://bencher.dev/bmf.json; names as https://bencher.dev/docs/reference/bencher-metric-format limits them. */
const bencherSchema = z.record(
  z.string().min(1).max(1024),
  z.record(
    z.string().regex(/^[a-z-]{1,64}$/),
    z.strictObject({
      value: z.number(),
      lower_value: z.number().optional(),
      upper_value: z.number().optional(),
    }),
  ),
);

function comparisonOf(cell: string, treatment: string) {
  return record.cells
    .find(({ id }) => id === cell)!
    .analysis!.comparisons.find((candidate) => candidate.treatment === treatment)!;
}

describe("github-action-benchmark", () => {
  it("gets what is better when smaller, and the ratio with its interval", async () => {
    const entries = benchmarkActionSchema.parse(
      JSON.parse(await exportedText("benchmark-action-smaller", record)),
    );
    expect(entries.some(({ unit }) => unit.startsWith("tokens"))).toBe(false);
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
    const { value, interval95 } = comparisonOf("pequod-pooled-10", "stream").overhead.hodgesLehmann;
    expect(entries).toContainEqual({
      name: "pequod-pooled-10/sync: time relative to generate",
      unit: "×",
      value: 1 + value,
      range: `${(1 + interval95.lower).toFixed(4)} to ${(1 + interval95.upper).toFixed(4)}`,
      extra: expect.stringContaining("95 % interval"),
    });
  });

  it("gets throughput apart, because it is better when bigger", async () => {
    const entries = benchmarkActionSchema.parse(
      JSON.parse(await exportedText("benchmark-action-bigger", record)),
    );
    expect(entries.every(({ unit }) => unit === "tokens/s")).toBe(true);
    expect(entries).toHaveLength(record.cells.length * 4);
  });
});

describe("the Bencher Metric Format", () => {
  it("has intervals as bounds", async () => {
    const metrics = bencherSchema.parse(JSON.parse(await exportedText("bencher", record)));
    const { overhead, costMicrosecondsPerToken: cost } = comparisonOf(
      "pequod-pooled-10",
      "streamAsync",
    );
    expect(metrics["pequod-pooled-10/async"]).toMatchObject({
      "relative-time": {
        value: 1 + overhead.hodgesLehmann.value,
        lower_value: 1 + overhead.hodgesLehmann.interval95.lower,
        upper_value: 1 + overhead.hodgesLehmann.interval95.upper,
      },
      "cost-per-token": {
        value: cost.hodgesLehmann.value,
        lower_value: cost.hodgesLehmann.interval95.lower,
      },
    });
    expect(metrics["pequod-pooled-10/generate"]).not.toHaveProperty("relative-time");
  });
});

describe("benchstat's text", () => {
  it("has only lines of Go's benchmark format, one for each run", async () => {
    const text = await exportedText("benchstat", record);
    // https://go.dev/design/14313-benchmark-format, and unit lines as golang.org/x/perf/benchfmt reads them.
    const configuration = /^[a-z][^\sA-Z]*: \S.*$/;
    const unit = /^Unit \S+( [a-z]+=\S+)+$/;
    const result = /^Benchmark[A-Z]\S*(\s+\d+)(\s+\d+(\.\d+)? \S+)+$/;
    const lines = text.split("\n").filter((line) => line !== "");
    for (const line of lines) {
      expect([configuration, unit, result].filter((form) => form.test(line))).toHaveLength(1);
    }
    const runs = record.cells.flatMap(({ blocks }) => blocks.flatMap((block) => block.runs));
    expect(lines.filter((line) => result.test(line))).toHaveLength(runs.length);
    const units = lines.flatMap((line) => /^Unit (\S+)/.exec(line)?.[1] ?? []);
    const used = lines
      .filter((line) => result.test(line))
      .flatMap((line) => line.match(/\S+\/\S+$/g) ?? []);
    expect(units).toEqual(expect.arrayContaining([...new Set(used)]));
    const [run] = record.cells[0]!.blocks[0]!.runs.filter((of) => of.treatment === "stream");
    expect(text).toContain(
      `BenchmarkStream/cell=pequod-pooled-10/tokens=10/mode=sync 1 ${run!.endToEndNanoseconds} ns/op ${run!.timeToFirstTokenNanoseconds} ns/first-token`,
    );
  });

  it("has the same configuration for another run on the same machine, so that both are compared", async () => {
    const other = { ...record, runId: "another", startedAt: "2026-12-01T00:00:00.000Z" };
    expect(await exportedText("benchstat", other)).toBe(await exportedText("benchstat", record));
  });
});
