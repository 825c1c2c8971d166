import type { ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import { duration, percent } from "../text/numbers.js";
import { section } from "./section.js";

/** How free the consuming thread is while tokens arrive. */
export function mainThread(record: ResultRecord): string {
  const rows = record.mainThread.map(({ timer, ...measurement }) => [
    measurement.model,
    measurement.host,
    modeNames[measurement.treatment],
    percent(measurement.eventLoopUtilization),
    measurement.throughputTokensPerSecond.toFixed(1),
    `${timer.fires} of ${timer.expectedFires}`,
    duration(timer.p50LatenessNanoseconds),
    duration(timer.p99LatenessNanoseconds),
    duration(timer.maximumLatenessNanoseconds),
  ]);
  const period = record.mainThread[0]?.timer.periodMilliseconds;
  return section(record, "The main thread meanwhile", rows, {
    head: [
      "model",
      "host",
      "mode",
      "event-loop utilisation",
      "tokens/s",
      `${period} ms timer fired`,
      "late p50",
      "p99",
      "max",
    ],
    definitions: ["timer lateness"],
  });
}
