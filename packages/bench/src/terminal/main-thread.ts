import type { ResultRecord } from "../record/index.js";
import { milliseconds, percent } from "./numbers.js";
import { modeNames, titledTable, type SummaryOptions } from "./table.js";

/** How free the consuming thread is while tokens arrive. */
export function mainThread(
  { mainThread: measurements }: ResultRecord,
  options: SummaryOptions,
): string[] {
  const rows = measurements.map(({ timer, ...measurement }) => [
    measurement.model,
    measurement.host,
    modeNames[measurement.treatment],
    percent(measurement.eventLoopUtilization),
    measurement.throughputTokensPerSecond.toFixed(0),
    `${timer.fires} of ${timer.expectedFires}`,
    milliseconds(timer.p50LatenessNanoseconds),
    milliseconds(timer.p99LatenessNanoseconds),
    milliseconds(timer.maximumLatenessNanoseconds),
  ]);
  const period = measurements[0]?.timer.periodMilliseconds;
  const head = ["model", "host", "mode", "busy", "tokens/s"];
  const timerHead = [`${period} ms timer fired`, "late p50", "p99", "max"];
  return titledTable(
    "The main thread meanwhile (busy: event-loop utilisation):",
    [...head, ...timerHead],
    rows,
    options,
  );
}
