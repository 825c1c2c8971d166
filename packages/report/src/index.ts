export { chartNames, type Chart, type ChartName } from "./charts/chart.js";
export { chartsOf, chartsOfCell } from "./charts/charts-of.js";
export { renderSvg } from "./charts/render-svg.js";
export { renderChangelogSnippet } from "./changelog.js";
export { findNewestRecord, readRecord, type FoundRecord } from "./find-record.js";
export { renderHtmlReport } from "./html/html-report.js";
export { renderBenchmarks } from "./markdown.js";
