import { describe, expect, it } from "vitest";
import { InvalidImportError, readForeign, renderImport } from "@streamgauge/report";

/** As vllm/benchmarks/serve.py writes it with --save-detailed: two requests of three tokens, one that failed. */
const vllm = {
  date: "20261125-070000",
  backend: "openai",
  model_id: "a|b\u001b[31m",
  num_prompts: 3,
  duration: 2,
  completed: 2,
  output_throughput: 3,
  mean_ttft_ms: 30,
  median_ttft_ms: 30,
  p99_ttft_ms: 39.8,
  mean_tpot_ms: 12.5,
  mean_itl_ms: 12.5,
  ttfts: [0.02, 0.04, 0],
  itls: [[0.01, 0.01], [0.01, 0.02], []],
  output_lens: [3, 3, 0],
  errors: ["", "", "Timeout"],
};

/** docs/tutorials/working-with-profile-exports.md of ai-dynamo/aiperf. */
function aiperfLine(changes: object = {}, metadata: object = {}) {
  return {
    metadata: {
      session_num: 45,
      request_start_ns: 1_000_000_000,
      request_ack_ns: 1_010_000_000,
      request_end_ns: 1_050_000_000,
      benchmark_phase: "profiling",
      was_cancelled: false,
      ...metadata,
    },
    metrics: {
      time_to_first_token: { value: 20_000, unit: "us" },
      request_latency: { value: 48, unit: "ms" },
      output_sequence_length: { value: 4, unit: "tokens" },
      inter_chunk_latency: { value: [9, 9, 12], unit: "ms" },
      inter_token_latency: { value: 9.333, unit: "ms" },
      ...changes,
    },
    error: null,
  };
}

/** src/guidellm/schemas/info.py and request_stats.py of vllm-project/guidellm. */
const guidellm = {
  benchmarks: [
    {
      requests: {
        successful: [
          {
            info: {
              timings: {
                request_start: 100,
                first_token_iteration: 100.25,
                last_token_iteration: 101.25,
                request_end: 101.5,
              },
            },
            output_tokens: 5,
            request_latency: 1.5,
            time_to_first_token_ms: 250,
            inter_token_latency_ms: 250,
            time_per_output_token_ms: 250,
            output_tokens_per_second: 3.333,
          },
        ],
        incomplete: [{}],
        errored: [],
      },
    },
  ],
};

/** The cells of a metric's row: ours (mean, median, p99), definition, theirs (name, mean, …). */
function rowOf(json: unknown, metric: string, text: string = JSON.stringify(json)): string[] {
  const [result] = readForeign(text);
  const row = renderImport(result!)
    .split("\n")
    .find((line) => line.startsWith(`| ${metric} (`));
  return row!.split(" | ").slice(1);
}

describe("a result of vLLM", () => {
  it("is recomputed from its arrays, without the request that failed", () => {
    expect(rowOf(vllm, "TTFT").slice(0, 3)).toEqual(["30.000", "30.000", "39.800"]);
    expect(rowOf(vllm, "ITL").slice(0, 2)).toEqual(["12.500", "10.000"]);
    expect(rowOf(vllm, "TPOT").slice(0, 2)).toEqual(["12.500", "12.500"]);
    expect(rowOf(vllm, "TTFT").slice(4, 8)).toEqual([
      String.raw`ttft\_ms`,
      "30.000",
      "30.000",
      "39.800",
    ]);
    const text = renderImport(readForeign(JSON.stringify(vllm))[0]!);
    expect(text).toContain("2 requests; 1 failed");
    expect(text).toMatch(/end-to-end latency was not recomputed: .*ends with the last chunk/);
    // A name of a model is text, for Markdown and for a terminal.
    expect(text).toContain(String.raw`## vLLM: a\|b`);
    expect(text).not.toContain("\u001b");
  });

  it("is not taken for tokens where it has chunks of several", () => {
    const bundled = { ...vllm, output_lens: [3, 5, 0] };
    expect(rowOf(bundled, "ITL")[0]).toBe("–");
    const text = renderImport(readForeign(JSON.stringify(bundled))[0]!);
    expect(text).toContain("a chunk is not a token: a request of 5 tokens has 2 gaps");
    expect(rowOf(bundled, "TPOT")[0]).toBe("8.750");
  });

  it("without its arrays says how to get them", () => {
    const { ttfts: _, itls: __, ...summary } = vllm;
    const text = renderImport(readForeign(JSON.stringify(summary))[0]!);
    expect(text).toContain("TTFT was not recomputed: the file has no ttfts");
    expect(text).toContain("--save-detailed");
  });
});

describe("a result of AIPerf", () => {
  const lines = [
    aiperfLine(),
    aiperfLine({}, { benchmark_phase: "warmup" }),
    aiperfLine({}, { was_cancelled: true }),
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");

  it("is recomputed from its requests, in the units they name", () => {
    expect(rowOf(undefined, "TTFT", text)[0]).toBe("20.000");
    expect(rowOf(undefined, "ITL", text).slice(0, 2)).toEqual(["10.000", "9.000"]);
    expect(rowOf(undefined, "TPOT", text)[0]).toBe("10.000");
    expect(rowOf(undefined, "TPOT", text)[5]).toBe("9.333");
    expect(rowOf(undefined, "end-to-end latency", text)[0]).toBe("50.000");
    expect(rowOf(undefined, "output throughput", text)[0]).toBe("80.000");
    expect(renderImport(readForeign(text)[0]!)).toContain("1 requests; 2 failed, cancelled");
  });

  it("of summaries only is shown, and not recomputed", () => {
    const summary = {
      schema_version: "1.5",
      request_latency: { unit: "ms", avg: 2620.71, p50: 2568.73, p99: 3371.24 },
      output_token_throughput: { unit: "tokens/sec", avg: 41 },
    };
    expect(rowOf(summary, "end-to-end latency").slice(4, 8)).toEqual([
      String.raw`request\_latency`,
      "2620.710",
      "2568.730",
      "3371.240",
    ]);
    expect(rowOf(summary, "output throughput")[5]).toBe("41.000");
    expect(renderImport(readForeign(JSON.stringify(summary))[0]!)).toContain(
      "TTFT was not recomputed: the file holds summaries only",
    );
  });

  it("with a time in an unknown unit is refused", () => {
    const odd = aiperfLine({ time_to_first_token: { value: 1, unit: "fortnights" } });
    expect(() => readForeign(JSON.stringify(odd))).toThrow(/"fortnights", and known are ns/);
  });
});

describe("a result of GuideLLM", () => {
  it("has its TPOT recomputed without the first token, and no ITL", () => {
    expect(rowOf(guidellm, "TTFT")[0]).toBe("250.000");
    expect(rowOf(guidellm, "TPOT")[0]).toBe("250.000");
    expect(rowOf(guidellm, "TPOT")[8]).toContain("(last token − request start) / n");
    expect(rowOf(guidellm, "end-to-end latency").slice(0, 6)[5]).toBe("1500.000");
    expect(rowOf(guidellm, "output throughput")[0]).toBe("3.333");
    const text = renderImport(readForeign(JSON.stringify(guidellm))[0]!);
    expect(text).toContain("ITL was not recomputed: the file has the first and the last");
    expect(text).toContain("1 requests; 1 failed");
  });
});

describe("a wrong file", () => {
  it("is refused with the files that can be read, or the field that is wrong", () => {
    for (const text of ["", "no JSON", "[]", "{}", "null", '{"a":1}\n{"b":2}']) {
      expect(() => readForeign(text)).toThrow(InvalidImportError);
      expect(() => readForeign(text)).toThrow(/profile_export\.jsonl.*GuideLLM/);
    }
    const damaged = JSON.stringify({ ...vllm, ttfts: ["soon"] });
    expect(() => readForeign(damaged)).toThrow(/result of vLLM, but "ttfts\.0" is wrong/);
    expect(() => readForeign('{"benchmarks":[{}]}')).toThrow(/"benchmarks\.0\.requests" is wrong/);
  });
});
