import { z } from "zod";
import { sampleStatistics } from "../text/sample-statistics.js";
import {
  optionalNumber,
  parseForeign,
  type ForeignRequest,
  type ForeignResult,
  type TheirMetric,
} from "./foreign-result.js";

/** A request's own metrics, by the names of {@link Names}. */
type Own = Readonly<Record<string, number | undefined>>;

/** A request of any version: Unix times in seconds. */
interface GuidellmRequest {
  readonly start: number | undefined;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly end: number | undefined;
  readonly tokens: number | undefined;
  readonly own: Own;
}

interface Benchmark {
  readonly successful: readonly GuidellmRequest[];
  readonly leftOut: number;
  readonly names: Names;
}

/** What a version calls a request's own metrics, and how it defines its TPOT. */
interface Names {
  readonly TTFT: string;
  readonly ITL: string;
  /** Its name and definition; 0.1 has none. */
  readonly TPOT?: readonly [name: string, definition: string];
  readonly throughput: readonly [name: string, definition: string];
}

const ownSince02 = {
  request_latency: optionalNumber,
  time_to_first_token_ms: optionalNumber,
  inter_token_latency_ms: optionalNumber,
  time_per_output_token_ms: optionalNumber,
  output_tokens_per_second: optionalNumber,
};

const namesSince04: Names = {
  TTFT: "time_to_first_token_ms",
  ITL: "inter_token_latency_ms",
  TPOT: ["time_per_output_token_ms", "(last token − request start) / n"],
  throughput: ["output_tokens_per_second", "n / latency of each request"],
};

const namesSince02: Names = {
  ...namesSince04,
  TPOT: ["time_per_output_token_ms", "(last − first token) / n"],
};

const namesOf01: Names = {
  TTFT: "time_to_first_token",
  ITL: "inter_token_latency",
  throughput: ["output_tokens_per_second", "1 / inter-token latency of each request"],
};

/** Since 0.4: src/guidellm/schemas/info.py and request_stats.py of vllm-project/guidellm. */
const requestSince04 = z
  .object({
    info: z.object({
      timings: z.object({
        request_start: optionalNumber,
        first_token_iteration: optionalNumber,
        last_token_iteration: optionalNumber,
        request_end: optionalNumber,
      }),
    }),
    output_tokens: optionalNumber,
    ...ownSince02,
  })
  .transform(({ info: { timings }, output_tokens: tokens, ...own }) => ({
    start: timings.request_start,
    first: timings.first_token_iteration,
    last: timings.last_token_iteration,
    end: timings.request_end,
    tokens,
    own,
    names: namesSince04,
  }));

const times = {
  start_time: optionalNumber,
  first_token_time: optionalNumber,
  last_token_time: optionalNumber,
  end_time: optionalNumber,
};

/** 0.2 and 0.3: `GenerativeTextResponseStats`, src/guidellm/benchmark/benchmark.py. */
const requestOf02 = z
  .object({ ...times, output_tokens: optionalNumber, ...ownSince02 })
  .transform(({ output_tokens: tokens, ...rest }) => ({
    ...timesOf(rest),
    tokens,
    own: rest,
    names: namesSince02,
  }));

/** 0.1: `TextGenerationResult`, src/guidellm/core/result.py. */
const requestOf01 = z
  .object({
    ...times,
    output_token_count: optionalNumber,
    request_latency: optionalNumber,
    time_to_first_token: optionalNumber,
    inter_token_latency: optionalNumber,
    output_tokens_per_second: optionalNumber,
  })
  .transform(({ output_token_count: tokens, ...rest }) => ({
    ...timesOf(rest),
    tokens,
    own: rest,
  }));

const many = z.array(z.unknown()).nullish();

const benchmarkSince02 = z.object({
  requests: z.object({ successful: z.array(z.unknown()), incomplete: many, errored: many }),
});

const benchmarkOf01 = z.object({ results: z.array(requestOf01), errors: many });

/** `benchmarks.json`: one benchmark for each rate. 0.1 has them in reports of runs. */
const guidellmSchema = z.object({ benchmarks: z.array(z.unknown()).min(1) });

/** Whether a JSON value looks like a `benchmarks.json` of GuideLLM. */
export function looksLikeGuidellm(json: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(json["benchmarks"]);
}

/**
 * A result for each benchmark of the file.
 *
 * @throws InvalidImportError naming the field that is wrong
 */
export function parseGuidellm(json: unknown): ForeignResult[] {
  const benchmarks = parseForeign(guidellmSchema, json, "GuideLLM").benchmarks.flatMap(
    (benchmark, index) => benchmarksIn(benchmark, `benchmarks.${index}`),
  );
  return benchmarks.map(({ successful, leftOut, names }, index) => ({
    tool: "GuideLLM",
    title: `benchmark ${index + 1} of ${benchmarks.length}`,
    requests: successful.map(requestOf),
    requestsLeftOut: leftOut,
    theirs: {
      TTFT: theirs(successful, [names.TTFT, "first token − request start"]),
      ITL: theirs(successful, [names.ITL, "(last − first token) / (n − 1)"]),
      ...(names.TPOT !== undefined && { TPOT: theirs(successful, names.TPOT) }),
      "end-to-end latency": theirs(
        successful,
        ["request_latency", "request end − request start"],
        1e3,
      ),
      "output throughput": theirs(successful, names.throughput),
    },
    missing: {
      ITL: "the file has the first and the last token's time only: GuideLLM interpolates those between",
    },
  }));
}

function benchmarksIn(json: unknown, path: string): Benchmark[] {
  const given = new Map<string, unknown>(
    typeof json === "object" && json !== null ? Object.entries(json) : [],
  );
  const inner = given.get("benchmarks");
  // Reports of 0.1 have their benchmarks one level deeper.
  if (Array.isArray(inner)) {
    return inner.map((one, index) => benchmarkIn01(one, `${path}.benchmarks.${index}`));
  }
  if (given.has("results")) return [benchmarkIn01(json, path)];
  const { requests } = parseForeign(benchmarkSince02, json, "GuideLLM", path);
  const successful = requests.successful.map((request, index) => {
    const isSince04 = typeof request === "object" && request !== null && "info" in request;
    const at = `${path}.requests.successful.${index}`;
    return isSince04
      ? parseForeign(requestSince04, request, "GuideLLM", at)
      : parseForeign(requestOf02, request, "GuideLLM", at);
  });
  return [
    {
      successful,
      leftOut: (requests.incomplete?.length ?? 0) + (requests.errored?.length ?? 0),
      names: successful[0]?.names ?? namesSince04,
    },
  ];
}

function benchmarkIn01(json: unknown, path: string): Benchmark {
  const { results, errors } = parseForeign(benchmarkOf01, json, "GuideLLM", path);
  return { successful: results, leftOut: errors?.length ?? 0, names: namesOf01 };
}

function timesOf(given: {
  readonly start_time?: number | undefined;
  readonly first_token_time?: number | undefined;
  readonly last_token_time?: number | undefined;
  readonly end_time?: number | undefined;
}): Omit<GuidellmRequest, "tokens" | "own"> {
  const { start_time: start, first_token_time: first, last_token_time: last } = given;
  return { start, first, last, end: given.end_time };
}

function requestOf({ start, first, last, end, tokens }: GuidellmRequest): ForeignRequest {
  return {
    firstToken: between(start, first),
    firstToLast: between(first, last),
    endToEnd: between(start, end),
    outputTokens: tokens,
  };
}

/** Milliseconds between two Unix times in seconds. */
function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : (to - from) * 1e3;
}

function theirs(
  requests: readonly GuidellmRequest[],
  [name, definition]: readonly [string, string],
  scale: number = 1,
): TheirMetric {
  const of = sampleStatistics(requests.flatMap(({ own }) => own[name] ?? []));
  return {
    name,
    definition,
    mean: of && of.mean * scale,
    median: of && of.median * scale,
    p99: of && of.p99 * scale,
  };
}
