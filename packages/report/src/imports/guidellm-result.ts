import { z } from "zod";
import { sampleStatistics } from "../text/sample-statistics.js";
import {
  parseForeign,
  type ForeignRequest,
  type ForeignResult,
  type TheirMetric,
} from "./foreign-result.js";

const time = z.number().nullish();

/** A request; Unix times in seconds, its own metrics in milliseconds. */
const requestSchema = z.object({
  info: z.object({
    timings: z.object({
      request_start: time,
      first_token_iteration: time,
      last_token_iteration: time,
      request_end: time,
    }),
  }),
  output_tokens: z.number().nullish(),
  request_latency: time,
  time_to_first_token_ms: time,
  inter_token_latency_ms: time,
  time_per_output_token_ms: time,
  output_tokens_per_second: time,
});

/** `benchmarks.json`: one benchmark for each rate. */
const guidellmSchema = z.object({
  benchmarks: z
    .array(
      z.object({
        requests: z.object({
          successful: z.array(requestSchema),
          incomplete: z.array(z.unknown()).nullish(),
          errored: z.array(z.unknown()).nullish(),
        }),
      }),
    )
    .min(1),
});

type GuidellmRequest = z.infer<typeof requestSchema>;

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
  const { benchmarks } = parseForeign(guidellmSchema, json, "GuideLLM");
  return benchmarks.map(({ requests: { successful, incomplete, errored } }, index) => ({
    tool: "GuideLLM",
    title: `benchmark ${index + 1} of ${benchmarks.length}`,
    requests: successful.map(requestOf),
    requestsLeftOut: (incomplete?.length ?? 0) + (errored?.length ?? 0),
    theirs: {
      TTFT: theirs(successful, "time_to_first_token_ms", "first token − request start"),
      ITL: theirs(successful, "inter_token_latency_ms", "(last − first token) / (n − 1)"),
      TPOT: theirs(successful, "time_per_output_token_ms", "(last token − request start) / n"),
      "end-to-end latency": theirs(
        successful,
        "request_latency",
        "request end − request start",
        1e3,
      ),
      "output throughput": theirs(
        successful,
        "output_tokens_per_second",
        "n / latency of each request",
      ),
    },
    missing: {
      ITL: "the file has the first and the last token's time only: GuideLLM interpolates those between",
    },
  }));
}

function requestOf({ info: { timings }, output_tokens: tokens }: GuidellmRequest): ForeignRequest {
  const { request_start: start, first_token_iteration: first } = timings;
  return {
    firstToken: between(start, first),
    firstToLast: between(first, timings.last_token_iteration),
    endToEnd: between(start, timings.request_end),
    outputTokens: tokens ?? undefined,
  };
}

/** Milliseconds between two Unix times in seconds. */
function between(
  from: number | null | undefined,
  to: number | null | undefined,
): number | undefined {
  if (from === null || from === undefined || to === null || to === undefined) return undefined;
  return (to - from) * 1e3;
}

function theirs(
  requests: readonly GuidellmRequest[],
  field: Exclude<keyof GuidellmRequest, "info">,
  definition: string,
  scale: number = 1,
): TheirMetric {
  const of = sampleStatistics(requests.flatMap((request) => request[field] ?? []));
  return {
    name: field,
    definition,
    mean: of && of.mean * scale,
    median: of && of.median * scale,
    p99: of && of.p99 * scale,
  };
}
