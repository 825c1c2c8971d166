export {
  chartNames,
  type Chart,
  type ChartName,
  type ClassesChartName,
  type HistoryChartName,
  type PointCounts,
} from "./charts/chart.js";
export { chartsOf, chartsOfCell } from "./charts/charts-of.js";
export { historyTrends } from "./charts/history-trend.js";
export type { CommittedResults } from "./files/committed-results.js";
export type { ReportErrorCodes } from "./error-codes.js";
export { renderSvg } from "./charts/render-svg.js";
export { renderChangelogSnippet, renderChangeset } from "./sections/changelog.js";
export {
  findNewestRecord,
  readRecord,
  samplesReader,
  type FoundRecord,
} from "./files/find-record.js";
export { renderHtmlReport } from "./html/html-report.js";
export { renderBenchmarks } from "./sections/benchmarks.js";
export { renderPages, type Page } from "./sections/pages.js";
export {
  exportFormats,
  type ExportFormat,
  type FolderFormat,
  type SingleFileFormat,
  type StreamedFormat,
} from "./formats/export-formats.js";
export type { ExportedFile, StreamedFile } from "./formats/exported-file.js";
export type { ReadSamples, TableSource } from "./formats/tables/long-table.js";
export {
  InvalidImportError,
  type ForeignRequest,
  type ForeignResult,
  type ImportedMetric,
  type TheirMetric,
} from "./imports/foreign-result.js";
export { renderImport } from "./imports/import-table.js";
export { readForeign } from "./imports/read-foreign.js";
