import type { ResultRecord } from "@streamgauge/bench/record";
import { renderAiperf } from "./aiperf.js";
import { renderBencherMetrics } from "./bencher.js";
import { renderBiggerIsBetter, renderSmallerIsBetter } from "./benchmark-action.js";
import { renderBenchstat } from "./benchstat.js";
import { renderCsv } from "./csv.js";
import type { ExportedFile } from "./exported-file.js";
import { renderHistogramLog, renderPercentileTexts } from "./hdr-histogram.js";
import { renderJUnit } from "./junit.js";
import { renderSpreadsheet } from "./spreadsheet.js";
import { renderVllm } from "./vllm.js";

/** A format of one file. */
export interface SingleFileFormat {
  readonly name: string;
  readonly description: string;
  readonly isBinary?: true;
  readonly render: (record: ResultRecord) => string | Uint8Array | Promise<Uint8Array>;
}

/** A format of several files in a folder. */
export interface FolderFormat {
  readonly name: string;
  readonly description: string;
  readonly renderFiles: (record: ResultRecord) => ExportedFile[];
}

export type ExportFormat = SingleFileFormat | FolderFormat;

/** Every format that a record can be exported to; each renderer is pure. */
export const exportFormats: readonly ExportFormat[] = [
  {
    name: "xlsx",
    description: "spreadsheet: summary, blocks, percentiles, environment",
    isBinary: true,
    render: renderSpreadsheet,
  },
  { name: "csv", description: "the same tables as CSV files", renderFiles: renderCsv },
  {
    name: "hlog",
    description: "HdrHistogram V2 log of all distributions",
    render: renderHistogramLog,
  },
  {
    name: "hgrm",
    description: "HdrHistogram percentile text (µs), a file for each distribution",
    renderFiles: renderPercentileTexts,
  },
  {
    name: "benchmark-action-smaller",
    description: "github-action-benchmark, customSmallerIsBetter",
    render: renderSmallerIsBetter,
  },
  {
    name: "benchmark-action-bigger",
    description: "github-action-benchmark, customBiggerIsBetter",
    render: renderBiggerIsBetter,
  },
  {
    name: "bencher",
    description: "Bencher Metric Format, with bounds",
    render: renderBencherMetrics,
  },
  {
    name: "benchstat",
    description: "Go benchmark text, a line for each run",
    render: renderBenchstat,
  },
  {
    name: "vllm",
    description: "vLLM serving-benchmark JSON, a file for each streaming mode",
    renderFiles: renderVllm,
  },
  {
    name: "aiperf",
    description: "AIPerf profile_export_aiperf JSON, a file for each streaming mode",
    renderFiles: renderAiperf,
  },
  { name: "junit", description: "JUnit XML of the claims", render: renderJUnit },
];
