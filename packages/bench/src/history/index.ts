/**
 * What records said of commits, by class of machines, and how it developed.
 *
 * @module
 */
export type { BenchErrorCodes } from "../error-codes.js";
export { defaultHistoryFolder, readHistories, type MachineHistory } from "./history-file.js";
export { readMetricName, type HistoryLine, type MetricName } from "./history-line.js";
export { fewestCommits, trendsOf, type Trend, type TrendChange } from "./trends.js";
