import type { Distribution, ResultRecord } from "@streamgauge/bench/record";
import type { ExportedFile } from "./exported-file.js";
import { histogramOf } from "./hdr-histogram.js";
import { modeKeys, type MeasuredMode } from "./measured-modes.js";
import { requestFiles } from "./request-files.js";
import { sampleStatistics } from "../text/sample-statistics.js";

/**
 * Results under the names and definitions of vLLM's serving benchmark
 * (`vllm bench serve --save-result`): a file for each streaming mode of each cell that
 * runs one generation at a time. Its definitions hold, not ours: TPOT is
 * (latency − TTFT) / (n − 1). There is no `itls` array, because a record has the
 * gaps as a histogram; `duration` is the sum of the runs, whose blocks are interleaved
 * with those of other modes.
 */
export function renderVllm(record: ResultRecord): ExportedFile[] {
  return requestFiles(record, "vllm", (mode) => resultOf(record, mode));
}

function resultOf(record: ResultRecord, mode: MeasuredMode): Readonly<Record<string, unknown>> {
  const { cell, treatment, runs } = mode;
  const seconds = runs.map(({ endToEndNanoseconds }) => endToEndNanoseconds / 1e9);
  const duration = seconds.reduce((total, each) => total + each, 0);
  const firsts = runs.flatMap(({ timeToFirstTokenNanoseconds: first }) =>
    first === null ? [] : [first],
  );
  const outputTokens = cell.tokens * runs.length;
  const inputTokens = cell.promptTokens === null ? null : cell.promptTokens * runs.length;
  const gaps = mode.distributions.find(({ metric }) => metric === "interTokenLatency");
  return {
    date: record.startedAt,
    backend: "streamgauge",
    model_id: cell.model,
    tokenizer_id: cell.model,
    num_prompts: runs.length,
    request_rate: "inf",
    max_concurrency: 1,
    streamgauge_cell: cell.id,
    streamgauge_mode: modeKeys[treatment],
    duration,
    completed: runs.length,
    failed: 0,
    ...(inputTokens !== null && { total_input_tokens: inputTokens }),
    total_output_tokens: outputTokens,
    request_throughput: runs.length / duration,
    output_throughput: outputTokens / duration,
    ...(inputTokens !== null && {
      total_token_throughput: (inputTokens + outputTokens) / duration,
      input_lens: runs.map(() => cell.promptTokens),
    }),
    output_lens: runs.map(() => cell.tokens),
    ttfts: firsts.map((first) => first / 1e9),
    ...milliseconds("ttft", firsts),
    ...milliseconds("tpot", timesPerOutputToken(mode)),
    ...(gaps && gapStatistics(gaps)),
    ...milliseconds(
      "e2el",
      runs.map(({ endToEndNanoseconds }) => endToEndNanoseconds),
    ),
  };
}

/** (latency − TTFT) / (n − 1) of each run, as vLLM and AIPerf have it; nanoseconds. */
export function timesPerOutputToken({ cell, runs }: MeasuredMode): number[] {
  if (cell.tokens < 2) return [];
  return runs.flatMap(({ endToEndNanoseconds, timeToFirstTokenNanoseconds: first }) =>
    first === null ? [] : [(endToEndNanoseconds - first) / (cell.tokens - 1)],
  );
}

function milliseconds(metric: string, nanoseconds: readonly number[]): Record<string, number> {
  const statistics = sampleStatistics(nanoseconds);
  if (statistics === undefined) return {};
  return {
    [`mean_${metric}_ms`]: statistics.mean / 1e6,
    [`median_${metric}_ms`]: statistics.median / 1e6,
    [`std_${metric}_ms`]: statistics.standardDeviation / 1e6,
    [`p99_${metric}_ms`]: statistics.p99 / 1e6,
  };
}

function gapStatistics(gaps: Distribution): Record<string, number> {
  return {
    mean_itl_ms: gaps.meanNanoseconds / 1e6,
    median_itl_ms: gaps.p50Nanoseconds / 1e6,
    std_itl_ms: histogramOf(gaps).stdDeviation / 1e6,
    p99_itl_ms: gaps.p99Nanoseconds / 1e6,
  };
}
