import { z } from "zod";
import { sampleStatistics } from "../text/sample-statistics.js";
import {
  InvalidImportError,
  parseForeign,
  type ForeignRequest,
  type ForeignResult,
  type ImportedMetric,
  type TheirMetric,
} from "./foreign-result.js";

const value = z.object({ value: z.union([z.number(), z.array(z.number())]), unit: z.string() });

/** A line of `profile_export.jsonl`. */
const lineSchema = z.object({
  metadata: z.object({
    request_start_ns: z.number(),
    request_end_ns: z.number().nullish(),
    benchmark_phase: z.string().nullish(),
    was_cancelled: z.boolean().nullish(),
  }),
  metrics: z.record(z.string(), z.unknown()),
  error: z.unknown().optional(),
});

const statistics = z.object({
  unit: z.string(),
  avg: z.number().optional(),
  p50: z.number().optional(),
  p99: z.number().optional(),
});

/** `profile_export_aiperf.json`: summaries only. */
const summarySchema = z.object({
  time_to_first_token: statistics.optional(),
  inter_chunk_latency: statistics.optional(),
  inter_token_latency: statistics.optional(),
  request_latency: statistics,
  output_token_throughput: statistics.optional(),
});

/** AIPerf's tags and definitions of what comes nearest to ours. */
const counterparts: Readonly<Record<ImportedMetric, readonly [tag: string, definition: string]>> = {
  TTFT: ["time_to_first_token", "first chunk with content − request start"],
  ITL: ["inter_chunk_latency", "gaps between chunks"],
  TPOT: ["inter_token_latency", "(latency − TTFT) / (n − 1)"],
  "end-to-end latency": ["request_latency", "last response − request start"],
  "output throughput": ["output_token_throughput", "all output tokens / duration of the run"],
};

/** Whether a JSON value looks like a `profile_export_aiperf.json`. */
export function looksLikeAiperfSummary(json: Readonly<Record<string, unknown>>): boolean {
  return "request_latency" in json && ("schema_version" in json || "input_config" in json);
}

/** Whether a JSON value looks like a line of a `profile_export.jsonl`. */
export function looksLikeAiperfLine(json: Readonly<Record<string, unknown>>): boolean {
  return "metadata" in json && "metrics" in json;
}

/** @throws InvalidImportError naming the field that is wrong */
export function parseAiperfSummary(json: unknown): ForeignResult {
  const summary = parseForeign(summarySchema, json, "AIPerf");
  const reason =
    "the file holds summaries only: give profile_export.jsonl, which has every request";
  const theirs = Object.entries(counterparts).flatMap(([metric, [tag, definition]]) => {
    const of = summary[tag as keyof typeof summary];
    if (of === undefined) return [];
    const scaled = (number: number | undefined): number | undefined =>
      number === undefined || metric === "output throughput" ? number : inMs(number, of.unit);
    const their: TheirMetric = {
      name: tag,
      definition,
      mean: scaled(of.avg),
      median: scaled(of.p50),
      p99: scaled(of.p99),
    };
    return [[metric, their] as const];
  });
  return {
    tool: "AIPerf",
    title: "summary",
    requests: [],
    requestsLeftOut: 0,
    theirs: Object.fromEntries(theirs),
    missing: Object.fromEntries(Object.keys(counterparts).map((metric) => [metric, reason])),
  };
}

/** @throws InvalidImportError naming the field that is wrong */
export function parseAiperfLines(lines: readonly unknown[]): ForeignResult {
  const parsed = lines.map((line) => parseForeign(lineSchema, line, "AIPerf"));
  const kept = parsed.filter(
    ({ metadata: { benchmark_phase: phase, was_cancelled: wasCancelled }, error }) =>
      (phase ?? "profiling") === "profiling" && wasCancelled !== true && (error ?? null) === null,
  );
  const theirs = Object.entries(counterparts).flatMap(([metric, [tag, definition]]) => {
    const values = kept.flatMap(({ metrics }) => milliseconds(metrics[tag], tag) ?? []);
    const of = sampleStatistics(values);
    if (of === undefined) return [];
    return [
      [metric, { name: tag, definition, mean: of.mean, median: of.median, p99: of.p99 }] as const,
    ];
  });
  return {
    tool: "AIPerf",
    title: "requests",
    requests: kept.map(requestOf),
    requestsLeftOut: parsed.length - kept.length,
    theirs: Object.fromEntries(theirs),
    missing: {},
  };
}

function requestOf({ metadata, metrics }: z.infer<typeof lineSchema>): ForeignRequest {
  const { request_start_ns: start, request_end_ns: end } = metadata;
  const length = value.safeParse(metrics["output_sequence_length"]).data?.value;
  const gaps = metrics["inter_chunk_latency"];
  return {
    firstToken: milliseconds(metrics["time_to_first_token"], "time_to_first_token")?.[0],
    chunkGaps: milliseconds(gaps, "inter_chunk_latency"),
    // Epoch nanoseconds lose their last two or three bits as JSON numbers: half a microsecond.
    endToEnd: end === null || end === undefined ? undefined : (end - start) / 1e6,
    outputTokens: typeof length === "number" ? length : undefined,
  };
}

/** Undefined where there is no such metric. */
function milliseconds(metric: unknown, tag: string): number[] | undefined {
  if (metric === undefined || metric === null) return undefined;
  const { value: values, unit } = parseForeign(value, metric, `AIPerf (${tag})`);
  return [values].flat().map((each) => inMs(each, unit));
}

const millisecondsIn: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  sec: 1e3,
};

function inMs(number: number, unit: string): number {
  const factor = millisecondsIn[unit];
  if (factor !== undefined) return number * factor;
  throw new InvalidImportError(
    `AIPerf wrote a time in "${unit}", and known are ${Object.keys(millisecondsIn).join(", ")}.`,
  );
}
