import { claimsOf, type ResultRecord } from "../record/index.js";

/** What a finished run prints: twelve lines, with every table above, as JSON, or nothing. */
export type Verbosity = "answer" | "verbose" | "json" | "quiet";

/** The exit code that a finished run stands for. */
export function exitCodeOf(record: ResultRecord, enforce: boolean): number {
  if (record.status === "interrupted") return 130;
  if (record.cells.some(({ status }) => status === "failed")) return 1;
  if ((record.failedMeasurements ?? []).length > 0) return 1;
  if (!enforce) return 0;
  const verdicts = claimsOf(record).map(({ verdict }) => verdict);
  if (verdicts.includes("refuted")) return 1;
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === "upheld") ? 0 : 2;
}
