import type { Cell, ResultRecord, TreatmentSummary } from "../record/index.js";
import { cellColumns, cellValues, columns, modeNames, type Row, type Table } from "./table.js";
import { decimal, duration, percent, tokensPerSecond, type Value } from "./value.js";

/** A row for each treatment of each analysed cell. */
export function treatmentRows(
  { cells }: ResultRecord,
  valuesOf: (summary: TreatmentSummary, cell: Cell) => readonly Value[],
): Row[] {
  return cells.flatMap((cell) =>
    (cell.analysis?.treatments ?? []).map((summary) => ({
      cell,
      values: [...cellValues(cell), modeNames[summary.treatment], ...valuesOf(summary, cell)],
    })),
  );
}

/** Tokens per second and their times, of each mode. */
export function throughput(record: ResultRecord): Table {
  return {
    heading: "Throughput",
    title: "Throughput, medians of the blocks:",
    columns: [
      ...cellColumns,
      ...columns("mode", "tokens/s", "end-to-end", "time per output token"),
    ],
    rows: treatmentRows(record, (summary) => [
      tokensPerSecond(summary.throughputTokensPerSecond),
      duration(summary.endToEndNanoseconds),
      duration(summary.timePerOutputTokenNanoseconds),
    ]),
    definitions: [
      "output throughput",
      "end-to-end latency",
      "time per output token (TPOT)",
      "tokens made (n)",
    ],
  };
}

/** What each mode costs the processors. */
export function cpu(record: ResultRecord): Table {
  return {
    heading: "CPU",
    title: "CPU time of the process, µs per token:",
    columns: [...cellColumns, ...columns("mode", "CPU, µs per token", "event-loop utilisation")],
    rows: treatmentRows(record, ({ cpuMicrosecondsPerToken, eventLoopUtilization }) => [
      decimal(cpuMicrosecondsPerToken),
      percent(eventLoopUtilization),
    ]),
    definitions: ["CPU cost"],
  };
}
