import type { ResultRecord } from "@streamgauge/bench/record";
import type { ExportedFile, StreamedFile } from "./exported-file.js";
import type { TableSource } from "./tables/long-table.js";

/** A format of one file. */
export interface SingleFileFormat {
  readonly name: string;
  readonly description: string;
  readonly isBinary?: true;
  readonly render: (record: ResultRecord) => Promise<string | Uint8Array>;
}

/** A format of several files in a folder. */
export interface FolderFormat {
  readonly name: string;
  readonly description: string;
  readonly renderFiles: (record: ResultRecord) => Promise<readonly ExportedFile[]>;
}

/** A format of several files in a folder, with the raw samples in them: each is made as it is read. */
export interface StreamedFormat {
  readonly name: string;
  readonly description: string;
  readonly streamFiles: (source: TableSource) => Promise<readonly StreamedFile[]>;
}

export type ExportFormat = SingleFileFormat | FolderFormat | StreamedFormat;

/**
 * Every format that a record can be exported to; each renderer is pure. It is loaded,
 * with its libraries, when it renders: a command that lists them should not wait.
 */
export const exportFormats: readonly ExportFormat[] = [
  {
    name: "xlsx",
    description: "spreadsheet: summary, blocks, percentiles, environment",
    isBinary: true,
    render: async (record) => (await import("./spreadsheet.js")).renderSpreadsheet(record),
  },
  {
    name: "csv",
    description: "the same tables as CSV files",
    renderFiles: async (record) => (await import("./csv.js")).renderCsv(record),
  },
  {
    name: "ndjson",
    description: "long tables of cells, modes, runs and tokens: an object on each line",
    streamFiles: async (source) => (await import("./ndjson.js")).renderNdjson(source),
  },
  {
    name: "parquet",
    description: "the same tables as Parquet files, for DuckDB, pandas and the like",
    streamFiles: async (source) => (await import("./parquet.js")).renderParquet(source),
  },
  {
    name: "hlog",
    description: "HdrHistogram V2 log of all distributions",
    render: async (record) => (await import("./hdr-histogram.js")).renderHistogramLog(record),
  },
  {
    name: "hgrm",
    description: "HdrHistogram percentile text (µs), a file for each distribution",
    renderFiles: async (record) =>
      (await import("./hdr-histogram.js")).renderPercentileTexts(record),
  },
  {
    name: "benchmark-action-smaller",
    description: "github-action-benchmark, customSmallerIsBetter",
    render: async (record) => (await import("./benchmark-action.js")).renderSmallerIsBetter(record),
  },
  {
    name: "benchmark-action-bigger",
    description: "github-action-benchmark, customBiggerIsBetter",
    render: async (record) => (await import("./benchmark-action.js")).renderBiggerIsBetter(record),
  },
  {
    name: "bencher",
    description: "Bencher Metric Format, with bounds",
    render: async (record) => (await import("./bencher.js")).renderBencherMetrics(record),
  },
  {
    name: "benchstat",
    description: "Go benchmark text, a line for each run",
    render: async (record) => (await import("./benchstat.js")).renderBenchstat(record),
  },
  {
    name: "vllm",
    description: "vLLM serving-benchmark JSON, a file for each streaming mode",
    renderFiles: async (record) => (await import("./vllm.js")).renderVllm(record),
  },
  {
    name: "aiperf",
    description: "AIPerf profile_export_aiperf JSON, a file for each streaming mode",
    renderFiles: async (record) => (await import("./aiperf.js")).renderAiperf(record),
  },
  {
    name: "speedscope",
    description: "calls of the CPU profiles for speedscope, a profile for each thread",
    render: async (record) => (await import("./speedscope.js")).renderSpeedscope(record),
  },
  {
    name: "junit",
    description: "JUnit XML of the claims",
    render: async (record) => (await import("./junit.js")).renderJUnit(record),
  },
];
