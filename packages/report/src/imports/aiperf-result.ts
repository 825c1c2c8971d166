import { z } from "zod";
import { sampleStatistics } from "../text/sample-statistics.js";
import {
  InvalidImportError,
  anyNumber,
  optionalNumber,
  parseForeign,
  type ForeignRequest,
  type ForeignResult,
  type ImportedMetric,
  type TheirMetric,
} from "./foreign-result.js";

const value = z.object({
  value: z.union([anyNumber, z.array(anyNumber)]).nullish(),
  unit: z.string(),
});

/** A line of `profile_export.jsonl`. */
const lineSchema = z.object({
  metadata: z.object({
    request_start_ns: anyNumber,
    request_end_ns: optionalNumber,
    benchmark_phase: z.string().nullish(),
    was_cancelled: z.boolean().nullish(),
  }),
  metrics: z
    .record(z.string(), z.unknown())
    .transform((metrics) => new Map(Object.entries(metrics))),
  error: z.unknown().optional(),
});

const statistics = z.object({
  unit: z.string(),
  // Null where AIPerf computed NaN: `exclude_unset` keeps fields that are null.
  avg: optionalNumber,
  p50: optionalNumber,
  p99: optionalNumber,
});

/**
 * `profile_export_aiperf.json`: summaries only. `JsonExportData` in
 * src/aiperf/common/models/export_models.py of ai-dynamo/aiperf, and GenAI-Perf's file,
 * after which it is made.
 */
const summarySchema = z.object({
  time_to_first_token: statistics.nullish(),
  inter_chunk_latency: statistics.nullish(),
  inter_token_latency: statistics.nullish(),
  request_latency: statistics.nullish(),
  output_token_throughput: statistics.nullish(),
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
  const metrics = summariesIn(json);
  const isOfAiperf = ["schema_version", "aiperf_version", "input_config"].some(
    (key) => key in json,
  );
  return (
    isOfAiperf && (metrics !== json || Object.values(counterparts).some(([tag]) => tag in json))
  );
}

/** The first versions had the metrics in "records": aiperf/exporters/json_exporter.py. */
function summariesIn(json: Readonly<Record<string, unknown>>): unknown {
  const { records } = json;
  return typeof records === "object" && records !== null ? records : json;
}

/** Whether a JSON value looks like a line of a `profile_export.jsonl`. */
export function looksLikeAiperfLine(json: Readonly<Record<string, unknown>>): boolean {
  return "metadata" in json && "metrics" in json;
}

/** @throws InvalidImportError naming the field that is wrong */
export function parseAiperfSummary(json: Readonly<Record<string, unknown>>): ForeignResult {
  const summary = parseForeign(summarySchema, summariesIn(json), "AIPerf");
  const reason =
    "the file holds summaries only: give profile_export.jsonl, which has every request";
  const theirs = Object.entries(counterparts).flatMap(([metric, [tag, definition]]) => {
    const of = summary[tag as keyof typeof summary];
    if (of === undefined || of === null) return [];
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

/** @throws InvalidImportError naming the line and the field that are wrong */
export function parseAiperfLines(lines: readonly unknown[]): ForeignResult {
  const parsed = lines.map((line, index) =>
    parseForeign(lineSchema, line, "AIPerf", `line ${index + 1}`),
  );
  const kept = parsed.filter(
    ({ metadata: { benchmark_phase: phase, was_cancelled: wasCancelled }, error }) =>
      (phase ?? "profiling") === "profiling" && wasCancelled !== true && (error ?? null) === null,
  );
  const theirs = Object.entries(counterparts).flatMap(([metric, [tag, definition]]) => {
    const values = kept.flatMap(({ metrics }) => milliseconds(metrics.get(tag), tag) ?? []);
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
  const length = value.safeParse(metrics.get("output_sequence_length")).data?.value;
  const gaps = metrics.get("inter_chunk_latency");
  return {
    firstToken: milliseconds(metrics.get("time_to_first_token"), "time_to_first_token")?.[0],
    chunkGaps: milliseconds(gaps, "inter_chunk_latency"),
    // Epoch nanoseconds lose their last two or three bits as JSON numbers: half a microsecond.
    endToEnd: end === undefined ? undefined : (end - start) / 1e6,
    outputTokens: typeof length === "number" ? length : undefined,
  };
}

/** Undefined where there is no such metric. */
function milliseconds(metric: unknown, tag: string): number[] | undefined {
  if (metric === undefined || metric === null) return undefined;
  const { value: values, unit } = parseForeign(value, metric, `AIPerf (${tag})`);
  if (values === undefined || values === null) return undefined;
  return [values].flat().map((each) => inMs(each, unit));
}

/** A map, because a file chooses the name that is looked up. */
const millisecondsIn: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["ms", 1],
  ["s", 1e3],
  ["sec", 1e3],
]);

function inMs(number: number, unit: string): number {
  const factor = millisecondsIn.get(unit);
  if (factor !== undefined) return number * factor;
  throw new InvalidImportError(
    `AIPerf wrote a time in "${unit.slice(0, 30)}", and known are ${[...millisecondsIn.keys()].join(", ")}.`,
  );
}
