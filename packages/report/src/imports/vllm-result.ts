import { z } from "zod";
import { parseForeign, type ForeignResult, type TheirMetric } from "./foreign-result.js";

const optionalNumber = z.number().optional();

/** `vllm bench serve --save-result`; the arrays only with `--save-detailed`. Seconds. */
const vllmSchema = z.object({
  model_id: z.string().optional(),
  completed: z.number(),
  duration: z.number(),
  output_throughput: optionalNumber,
  ttfts: z.array(z.number()).optional(),
  itls: z.array(z.array(z.number())).optional(),
  output_lens: z.array(z.number()).optional(),
  errors: z.array(z.string().nullable()).optional(),
  ...Object.fromEntries(
    ["ttft", "tpot", "itl", "e2el"].flatMap((metric) =>
      ["mean", "median", "p99"].map((of) => [`${of}_${metric}_ms`, optionalNumber]),
    ),
  ),
});

/** Whether a JSON value looks like a result of vLLM's serving benchmark. */
export function looksLikeVllm(json: Readonly<Record<string, unknown>>): boolean {
  return "completed" in json && "duration" in json && "mean_ttft_ms" in json;
}

/** @throws InvalidImportError naming the field that is wrong */
export function parseVllm(json: unknown): ForeignResult {
  const result = parseForeign(vllmSchema, json, "vLLM");
  const { ttfts = [], itls, output_lens: lengths, errors } = result;
  const requests = ttfts.flatMap((first, index) => {
    // A failed request has no first token, which vLLM writes as 0.
    if ((errors?.[index] ?? "") !== "" || first === 0) return [];
    return [
      {
        firstToken: first * 1e3,
        chunkGaps: itls?.[index]?.map((gap) => gap * 1e3),
        outputTokens: lengths?.[index],
      },
    ];
  });
  const without = "the file has no %: run vLLM with --save-detailed";
  const noEnd =
    "the file does not say when a response ended: vLLM's latency ends with the last chunk of text";
  return {
    tool: "vLLM",
    title: result.model_id ?? "",
    requests,
    requestsLeftOut: ttfts.length - requests.length,
    theirs: {
      TTFT: theirs(result, "ttft", "first chunk − request start"),
      ITL: theirs(result, "itl", "gaps between chunks, of all requests"),
      TPOT: theirs(result, "tpot", "(latency − TTFT) / (n − 1)"),
      "end-to-end latency": theirs(result, "e2el", "last chunk − request start"),
      "output throughput": {
        name: "output_throughput",
        definition: "all output tokens / duration of the run",
        mean: result.output_throughput,
        median: undefined,
        p99: undefined,
      },
    },
    missing: {
      ...(ttfts.length === 0 && { TTFT: without.replace("%", "ttfts") }),
      ...(itls === undefined && {
        ITL: without.replace("%", "itls"),
        TPOT: without.replace("%", "itls"),
      }),
      "end-to-end latency": noEnd,
      "output throughput": noEnd,
    },
  };
}

function theirs(result: object, metric: string, definition: string): TheirMetric {
  const values: Readonly<Record<string, unknown>> = { ...result };
  const numberAt = (name: string): number | undefined => {
    const value = values[name];
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
