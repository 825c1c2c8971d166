import { describe, expect, it } from "vitest";
import { InvalidImportError, readForeign, renderImport } from "@streamgauge/report";
import {
  aiperfLine,
  aiperfOldSummary,
  aiperfSummary,
  guidellm,
  guidellm01,
  guidellm02,
  guidellmRequest,
  sglang,
  vllm,
} from "./foreign-files.js";

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

/** The whole text of a file's results. */
function textOf(json: unknown, text: string = JSON.stringify(json)): string {
  return readForeign(text).map(renderImport).join("\n");
}

describe("a value that cannot be", () => {
  it("is not recomputed, and the reason is there", () => {
    const oneChunk = { ...vllm, itls: [[0.01, 0.01], [], []], output_lens: [3, 5, 0] };
    expect(rowOf(oneChunk, "TPOT")[0]).toBe("–");
    expect(textOf(oneChunk)).toContain(
      "TPOT was not recomputed: a request got its 5 tokens in one chunk, so no time passed between them",
    );
    const negative = { ...vllm, itls: [[0.01, -0.1], [0.01, 0.02], []] };
    expect(rowOf(negative, "ITL")[0]).toBe("–");
    expect(rowOf(negative, "TPOT")[0]).toBe("–");
    expect(textOf(negative)).toContain(
      "ITL was not recomputed: the gap between chunks of a request cannot be: -100 ms is negative",
    );
    const huge = { ...vllm, ttfts: [1e308, 0.04, 0] };
    expect(rowOf(huge, "TTFT")[0]).toBe("–");
    expect(textOf(huge)).toContain("Infinity ms is more than a year");
    const early = { ...vllm, ttfts: [-0.02, 0.04, 0] };
    expect(textOf(early)).toContain("time to the first token of a request cannot be: -20 ms");
    const halves = { ...vllm, output_lens: [2.5, 3, 0] };
    expect(textOf(halves)).toContain("cannot be: 2.5 is no number of tokens");
  });

  it("is not quoted from the tool either", () => {
    const odd = { ...vllm, mean_tpot_ms: -45, p99_ttft_ms: 1e308 };
    expect(rowOf(odd, "TPOT")[5]).toBe("–");
    expect(rowOf(odd, "TTFT").slice(5, 8)).toEqual(["30.000", "30.000", "–"]);
    expect(textOf(odd)).toContain(
      String.raw`- vLLM's mean of tpot\_ms is not shown: -45 ms is negative.`,
    );
  });

  it("is found in the times of AIPerf and GuideLLM, too", () => {
    const backwards = aiperfLine({}, { request_end_ns: 900_000_000 });
    expect(rowOf(backwards, "end-to-end latency")[0]).toBe("–");
    expect(rowOf(backwards, "output throughput")[0]).toBe("–");
    expect(textOf(backwards)).toContain("-100 ms is negative");
    const timings = { ...guidellmRequest.info.timings, first_token_iteration: 99 };
    const early = {
      benchmarks: [{ requests: { successful: [{ ...guidellmRequest, info: { timings } }] } }],
    };
    expect(rowOf(early, "TTFT")[0]).toBe("–");
    expect(textOf(early)).toContain("-1000 ms is negative");
    const atOnce = { ...guidellmRequest.info.timings, last_token_iteration: 100.25 };
    const burst = {
      benchmarks: [
        { requests: { successful: [{ ...guidellmRequest, info: { timings: atOnce } }] } },
      ],
    };
    expect(textOf(burst)).toContain(
      "TPOT was not recomputed: a request got its 5 tokens in one chunk",
    );
  });

  it("of a unit that objects inherit is an unknown unit", () => {
    for (const unit of ["constructor", "__proto__", "toString"]) {
      const odd = aiperfLine({ time_to_first_token: { value: 1, unit } });
      expect(() => textOf(odd)).toThrow(`a time in "${unit}", and known are`);
    }
  });
});

describe("a file that a tool writes", () => {
  it("has bare NaN and Infinity, and a mark at its beginning", () => {
    const written = JSON.stringify({ ...vllm, p99_itl_ms: 0, model_id: 'NaN "Infinity' })
      .replace('"mean_itl_ms":12.5', '"mean_itl_ms":NaN')
      .replace('"p99_itl_ms":0', '"p99_itl_ms":Infinity');
    const text = textOf(undefined, `\uFEFF${written}`);
    expect(text).toContain('## vLLM: NaN "Infinity');
    expect(rowOf(undefined, "ITL", written).slice(5, 8)).toEqual(["–", "–", "–"]);
    expect(rowOf(undefined, "TTFT", written)[0]).toBe("30.000");
    expect(text).toContain("p99 of itl\\_ms is not shown: Infinity ms is more than a year");
    const missing = JSON.stringify(vllm).replace("[0.02,0.04,0]", "[NaN,0.04,0]");
    expect(textOf(undefined, missing)).toContain("a request has no time of its first token");
  });

  it("has a line for each run: vLLM's --append-result", () => {
    const text = textOf(undefined, `${JSON.stringify(vllm)}\n${JSON.stringify(vllm)}`);
    expect(text).toContain("run 1 of 2");
    expect(text).toContain("run 2 of 2");
    expect(text.match(/2 requests; 1 failed/g)).toHaveLength(2);
  });

  it("is SGLang's, and named so", () => {
    const line = JSON.stringify(sglang);
    const text = textOf(undefined, `${line}\n${line}\n`);
    expect(text).toContain("## SGLang: sglang-oai, random, run 1 of 2");
    expect(text).not.toContain("vLLM");
    expect(rowOf(sglang, "end-to-end latency").slice(4, 6)).toEqual([
      String.raw`e2e\_latency\_ms`,
      "45.000",
    ]);
    expect(rowOf(sglang, "ITL")[0]).toBe("12.500");
    // Its own endpoint's chunks of several tokens are shared out among them.
    const evened = { ...sglang, backend: "sglang", itls: [[0.01, 0.01], [0.01, 0.02], []] };
    expect(rowOf(evened, "ITL")[0]).toBe("–");
    expect(textOf(evened)).toContain("ITL was not recomputed: SGLang shared the time");
    expect(rowOf(evened, "TPOT")[0]).toBe("12.500");
    const { ttfts: _, itls: __, ...summary } = sglang;
    expect(textOf(summary)).toContain(String.raw`run bench\_serving with --output-details`);
  });

  it("has the percentiles that were asked for, and no others", () => {
    const { duration, completed } = vllm;
    const only = { duration, completed, mean_e2el_ms: 61, p50_e2el_ms: 60, p99_e2el_ms: 90 };
    expect(rowOf(only, "end-to-end latency").slice(5, 8)).toEqual(["61.000", "–", "90.000"]);
    const text = textOf({ duration, completed, p90_itl_ms: 4 });
    expect(text).toContain("the file has no ttfts");
    expect(text).toContain("No request is in the file: it holds summaries only.");
  });

  it("is of AIPerf, with nulls, or nested as it was at first", () => {
    expect(rowOf(aiperfSummary, "end-to-end latency").slice(5, 8)).toEqual([
      "2620.710",
      "2568.730",
      "–",
    ]);
    expect(rowOf(aiperfOldSummary, "end-to-end latency")[5]).toBe("2620.710");
    const without = aiperfLine({ time_to_first_token: { value: null, unit: "ms" } });
    expect(textOf(without)).toContain("a request has no time of its first token");
  });

  it("is of GuideLLM before 0.4", () => {
    for (const [file, definition, failed] of [
      [guidellm02, "(last − first token) / n", 2],
      [guidellm01, "–", 1],
    ] as const) {
      expect(rowOf(file, "TTFT")[0]).toBe("250.000");
      expect(rowOf(file, "TPOT")[0]).toBe("250.000");
      expect(rowOf(file, "TPOT")[8]).toContain(definition);
      expect(rowOf(file, "end-to-end latency").slice(0, 6)[5]).toBe("1500.000");
      expect(rowOf(file, "TTFT")[5]).toBe("250.000");
      expect(textOf(file)).toContain(`1 requests; ${failed} failed`);
    }
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

  it("that is cut or damaged is refused with the line", () => {
    const line = JSON.stringify(aiperfLine());
    expect(() => readForeign(`${line}\n${line}\n${line.slice(0, 50)}`)).toThrow(
      "Line 3 of 3 is no JSON: it is cut. Remove that line to read the others.",
    );
    expect(() => readForeign(`${line}\n${line.slice(9)}\n${line}\n`)).toThrow(
      "Line 2 of 3 is no JSON: it is damaged.",
    );
    const pretty = JSON.stringify(vllm, null, 2);
    expect(() => readForeign(pretty.slice(0, 60))).toThrow(/This JSON is cut or damaged in line 4/);
    expect(() => readForeign(`${JSON.stringify(vllm)}\n{}`)).toThrow(/^Line 2 is no result/);
    expect(() => readForeign(`${line}\n{"metadata":{}}`)).toThrow(/"line 2\.metadata/);
  });
});
