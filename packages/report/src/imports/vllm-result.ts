import { z } from "zod";
import {
  anyNumber,
  optionalNumber,
  parseForeign,
  type ForeignRequest,
  type ForeignResult,
  type ImportedMetric,
  type TheirMetric,
} from "./foreign-result.js";

/** What SGLang calls vLLM's `e2el`. */
const latencyNames = { vLLM: "e2el", SGLang: "e2e_latency" } as const;

const statisticName = /^(mean|median|std|p[\d.]+)_(ttft|tpot|itl|e2el|e2e_latency)_ms$/;

/**
 * `vllm bench serve --save-result` (vllm/benchmarks/serve.py of vllm-project/vllm), and
 * SGLang's `bench_serving` (python/sglang/bench_serving.py of sgl-project/sglang), which
 * began as a copy of it. Arrays only with `--save-detailed` and `--output-details`, in
 * seconds; which statistics there are is for vLLM's `--percentile-metrics` to say.
 */
const servingSchema = z.object({
  model_id: z.string().nullish(),
  backend: z.string().nullish(),
  dataset_name: z.string().nullish(),
  output_throughput: optionalNumber,
  ttfts: z.array(optionalNumber).nullish(),
  itls: z.array(z.array(anyNumber).nullish()).nullish(),
  output_lens: z.array(optionalNumber).nullish(),
  errors: z.array(z.string().nullish()).nullish(),
  ...Object.fromEntries(
    ["ttft", "tpot", "itl", ...Object.values(latencyNames)].flatMap((metric) =>
      ["mean", "median", "p99"].map((of) => [`${of}_${metric}_ms`, optionalNumber]),
    ),
  ),
});

type Serving = z.infer<typeof servingSchema>;

/** Whether a JSON value looks like a result of vLLM's serving benchmark, or of SGLang's. */
export function looksLikeServing(json: Readonly<Record<string, unknown>>): boolean {
  return (
    "completed" in json &&
    "duration" in json &&
    ("ttfts" in json || Object.keys(json).some((key) => statisticName.test(key)))
  );
}

/** @throws InvalidImportError naming the field that is wrong */
export function parseServing(json: Readonly<Record<string, unknown>>): ForeignResult {
  const tool =
    "total_output_tokens_retokenized" in json || "mean_e2e_latency_ms" in json ? "SGLang" : "vLLM";
  const result = parseForeign(servingSchema, json, tool);
  const ttfts = result.ttfts ?? [];
  const requests = ttfts.flatMap((first, index) => requestOf(result, first, index));
  return {
    tool,
    title:
      tool === "vLLM"
        ? (result.model_id ?? "")
        : [result.backend, result.dataset_name].filter((part) => part != null).join(", "),
    requests,
    requestsLeftOut: ttfts.length - requests.length,
    theirs: {
      TTFT: theirs(result, "ttft", "first chunk − request start"),
      ITL: theirs(result, "itl", "gaps between chunks, of all requests"),
      TPOT: theirs(result, "tpot", "(latency − TTFT) / (n − 1)"),
      "end-to-end latency": theirs(result, latencyNames[tool], "last chunk − request start"),
      "output throughput": {
        name: "output_throughput",
        definition: "all output tokens / duration of the run",
        mean: result.output_throughput,
        median: undefined,
        p99: undefined,
      },
    },
    missing: missingOf(result, tool, requests),
  };
}

function requestOf(
  { itls, output_lens: lengths, errors }: Serving,
  first: number | undefined,
  index: number,
): ForeignRequest[] {
  // A failed request has no first token, which both write as 0.
  if ((errors?.[index] ?? "") !== "" || first === 0) return [];
  return [
    {
      firstToken: first === undefined ? undefined : first * 1e3,
      chunkGaps: itls?.[index]?.map((gap) => gap * 1e3),
      outputTokens: lengths?.[index],
    },
  ];
}

function missingOf(
  { backend, ttfts, itls }: Serving,
  tool: "vLLM" | "SGLang",
  requests: readonly ForeignRequest[],
): Partial<Record<ImportedMetric, string>> {
  const option = tool === "vLLM" ? "--save-detailed" : "--output-details";
  const without = (field: string): string =>
    `the file has no ${field}: run ${tool === "vLLM" ? "vLLM" : "bench_serving"} with ${option}`;
  const noEnd = `the file does not say when a response ended: ${tool}'s latency ends with the last chunk of text`;
  return {
    ...((ttfts ?? []).length === 0 && { TTFT: without("ttfts") }),
    ...((itls ?? undefined) === undefined
      ? { ITL: without("itls"), TPOT: without("itls") }
      : isEvened(tool, backend, requests) && {
          ITL: "SGLang shared the time between two chunks out evenly among their tokens",
        }),
    "end-to-end latency": noEnd,
    "output throughput": noEnd,
  };
}

/**
 * Whether gaps are shares of a chunk's. SGLang's own endpoint tells how many tokens a
 * chunk has, and its benchmark writes as many equal gaps; two raw ones are not equal to
 * the last bit.
 */
function isEvened(
  tool: "vLLM" | "SGLang",
  backend: string | null | undefined,
  requests: readonly ForeignRequest[],
): boolean {
  return (
    tool === "SGLang" &&
    (backend === "sglang" || backend === "sglang-native") &&
    requests.some(({ chunkGaps = [] }) =>
      chunkGaps.some((gap, index) => gap > 0 && gap === chunkGaps[index + 1]),
    )
  );
}

function theirs(result: object, metric: string, definition: string): TheirMetric {
  const values = new Map<string, unknown>(Object.entries(result));
  const numberAt = (name: string): number | undefined => {
    const value = values.get(name);
    return typeof value === "number" ? value : undefined;
  };
  return {
    name: `${metric}_ms`,
    definition,
    mean: numberAt(`mean_${metric}_ms`),
    median: numberAt(`median_${metric}_ms`),
    p99: numberAt(`p99_${metric}_ms`),
  };
}
