import type { Distribution, ResultRecord } from "@streamgauge/bench/record";
import type { ExportedFile } from "./exported-file.js";
import { histogramOf } from "./hdr-histogram.js";
import { modeKeys, type MeasuredMode } from "./measured-modes.js";
import { requestFiles } from "./request-files.js";
import { sampleStatistics } from "../text/sample-statistics.js";
import { timesPerOutputToken } from "./vllm.js";

/** The version of AIPerf's schema whose names these are. */
const schemaVersion = "1.5";

/** A metric of `profile_export_aiperf.json`. */
interface Statistics {
  readonly unit: string;
  readonly avg: number;
  readonly [name: string]: string | number;
}

const percents = [1, 5, 10, 25, 50, 75, 90, 95, 99] as const;

/**
 * Results under the names and definitions of AIPerf's `profile_export_aiperf.json`:
 * a file for each streaming mode of each cell that runs one generation at a time.
 * AIPerf's `inter_token_latency` is (latency − TTFT) / (n − 1) of each request, and
 * what we call ITL is its `inter_chunk_latency`. Throughput is over the sum of the
 * runs, whose blocks are interleaved with those of other modes.
 */
export function renderAiperf(record: ResultRecord): ExportedFile[] {
  return requestFiles(record, "profile_export_aiperf", (mode) => exportOf(record, mode));
}

function exportOf(record: ResultRecord, mode: MeasuredMode): Readonly<Record<string, unknown>> {
  const { cell, runs, treatment } = mode;
  const latencies = runs.map(({ endToEndNanoseconds }) => endToEndNanoseconds / 1e6);
  const seconds = latencies.reduce((total, each) => total + each, 0) / 1e3;
  const firsts = runs.flatMap(({ timeToFirstTokenNanoseconds: first }) =>
    first === null ? [] : [first / 1e6],
  );
  const perToken = timesPerOutputToken(mode).map((nanoseconds) => nanoseconds / 1e6);
  const gaps = mode.distributions.find(({ metric }) => metric === "interTokenLatency");
  return {
    schema_version: schemaVersion,
    benchmark_id: record.runId,
    start_time: record.startedAt,
    ...(record.endedAt !== null && { end_time: record.endedAt }),
    was_cancelled: record.status === "interrupted",
    input_config: { model: cell.model, cell: cell.id, mode: modeKeys[treatment] },
    request_count: { unit: "requests", avg: runs.length },
    request_throughput: { unit: "requests/sec", avg: runs.length / seconds },
    request_latency: statisticsOf("ms", latencies),
    time_to_first_token: statisticsOf("ms", firsts),
    inter_token_latency: statisticsOf("ms", perToken),
    inter_chunk_latency: gaps && gapStatistics(gaps),
    output_token_throughput: {
      unit: "tokens/sec",
      avg: (cell.tokens * runs.length) / seconds,
    },
    output_token_throughput_per_user: statisticsOf(
      "tokens/sec/user",
      perToken.filter((each) => each > 0).map((each) => 1e3 / each),
    ),
    output_sequence_length: statisticsOf(
      "tokens",
      runs.map(() => cell.tokens),
    ),
    input_sequence_length:
      cell.promptTokens === null
        ? undefined
        : statisticsOf(
            "tokens",
            runs.map(() => cell.promptTokens ?? 0),
          ),
  };
}

/** Undefined, and so not written, without a sample. */
function statisticsOf(unit: string, samples: readonly number[]): Statistics | undefined {
  const statistics = sampleStatistics(samples);
  if (statistics === undefined) return undefined;
  const { count, mean, minimum, maximum, sum, standardDeviation, percentile } = statistics;
  return {
    unit,
    avg: mean,
    ...Object.fromEntries(percents.map((percent) => [`p${percent}`, percentile(percent)])),
    min: minimum,
    max: maximum,
    // Theirs is divided by n − 1.
    std: count < 2 ? 0 : standardDeviation * Math.sqrt(count / (count - 1)),
    count,
    sum,
  };
}

function gapStatistics(gaps: Distribution): Statistics {
  const histogram = histogramOf(gaps);
  return {
    unit: "ms",
    avg: gaps.meanNanoseconds / 1e6,
    ...Object.fromEntries(
      percents.map((percent) => [`p${percent}`, histogram.getValueAtPercentile(percent) / 1e6]),
    ),
    min: gaps.minimumNanoseconds / 1e6,
    max: gaps.maximumNanoseconds / 1e6,
    std: histogram.stdDeviation / 1e6,
    count: gaps.count,
    sum: (gaps.meanNanoseconds * gaps.count) / 1e6,
  };
}
