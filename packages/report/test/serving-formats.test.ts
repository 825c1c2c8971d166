import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { z } from "zod";
import { exportableRecord, exportedFiles } from "./exported.js";

let record: ResultRecord;
beforeAll(async () => {
  record = await exportableRecord();
});

const four = (metric: string) =>
  Object.fromEntries(
    ["mean", "median", "std", "p99"].map((of) => [`${of}_${metric}_ms`, z.number()]),
  );

/** What vllm/benchmarks/serve.py puts into its result, less the texts and the gaps. */
const vllmSchema = z.object({
  date: z.string(),
  backend: z.string(),
  model_id: z.string(),
  tokenizer_id: z.string(),
  num_prompts: z.int(),
  request_rate: z.union([z.number(), z.literal("inf")]),
  duration: z.number().positive(),
  completed: z.int(),
  total_input_tokens: z.int(),
  total_output_tokens: z.int(),
  request_throughput: z.number(),
  output_throughput: z.number(),
  total_token_throughput: z.number(),
  input_lens: z.array(z.int()),
  output_lens: z.array(z.int()),
  ttfts: z.array(z.number()),
  ...four("ttft"),
  ...four("tpot"),
  ...four("itl"),
  ...four("e2el"),
});

const percents = [1, 5, 10, 25, 50, 75, 90, 95, 99];
const recordMetric = z.strictObject({
  unit: z.string(),
  avg: z.number(),
  min: z.number(),
  max: z.number(),
  std: z.number(),
  count: z.int(),
  sum: z.number(),
  ...Object.fromEntries(percents.map((percent) => [`p${percent}`, z.number()])),
});
const derivedMetric = z.strictObject({ unit: z.string(), avg: z.number() });

/** docs/reference/json-export-schema.md of ai-dynamo/aiperf, version 1.5. */
const aiperfSchema = z.strictObject({
  schema_version: z.literal("1.5"),
  benchmark_id: z.string(),
  start_time: z.iso.datetime(),
  end_time: z.iso.datetime(),
  was_cancelled: z.boolean(),
  input_config: z.record(z.string(), z.unknown()),
  request_count: derivedMetric,
  request_throughput: derivedMetric,
  output_token_throughput: derivedMetric,
  request_latency: recordMetric,
  time_to_first_token: recordMetric,
  inter_token_latency: recordMetric,
  inter_chunk_latency: recordMetric,
  output_token_throughput_per_user: recordMetric,
  output_sequence_length: recordMetric,
  input_sequence_length: recordMetric,
});

function runsOf(cell: string) {
  return record.cells
    .find(({ id }) => id === cell)!
    .blocks.flatMap(({ runs }) => runs.filter(({ treatment }) => treatment === "stream"));
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

describe("vLLM's names", () => {
  it("hold vLLM's definitions, in its units", async () => {
    const files = await exportedFiles("vllm", record);
    expect(files).toHaveLength(record.cells.length * 2);
    for (const { content } of files) vllmSchema.parse(JSON.parse(String(content)));
    const file = files.find(({ name }) => name === "pequod-pooled-10.sync.vllm.json");
    const result = JSON.parse(String(file?.content));
    const runs = runsOf("pequod-pooled-10");
    expect(result.ttfts).toEqual(runs.map((run) => run.timeToFirstTokenNanoseconds! / 1e9));
    expect(result.mean_ttft_ms).toBeCloseTo(mean(result.ttfts) * 1e3, 9);
    expect(result.mean_tpot_ms).toBeCloseTo(
      mean(
        runs.map((run) => (run.endToEndNanoseconds - run.timeToFirstTokenNanoseconds!) / 9 / 1e6),
      ),
      9,
    );
    expect(result.output_throughput * result.duration).toBeCloseTo(runs.length * 10, 6);
  });

  it("are not given to runs of several generations at once", async () => {
    const [first, ...others] = record.cells;
    const busy = { ...record, cells: [{ ...first!, concurrency: 4 }, ...others] };
    expect(await exportedFiles("vllm", busy)).toHaveLength(others.length * 2);
    expect(await exportedFiles("aiperf", busy)).toHaveLength(others.length * 2);
  });
});

describe("AIPerf's names", () => {
  it("hold AIPerf's definitions, in the shape of its schema", async () => {
    const files = await exportedFiles("aiperf", record);
    for (const { content } of files) aiperfSchema.parse(JSON.parse(String(content)));
    const file = files.find(
      ({ name }) => name === "pequod-pooled-10.sync.profile_export_aiperf.json",
    );
    const result = aiperfSchema.parse(JSON.parse(String(file?.content)));
    const runs = runsOf("pequod-pooled-10");
    const latencies = runs.map((run) => run.endToEndNanoseconds / 1e6);
    expect(result.request_latency).toMatchObject({
      unit: "ms",
      count: runs.length,
      min: Math.min(...latencies),
      max: Math.max(...latencies),
    });
    expect(result.inter_token_latency["avg"]).toBeCloseTo(
      mean(
        runs.map((run) => (run.endToEndNanoseconds - run.timeToFirstTokenNanoseconds!) / 9 / 1e6),
      ),
      9,
    );
  });
});
