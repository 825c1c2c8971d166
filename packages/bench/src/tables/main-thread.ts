import type { ResultRecord } from "../record/index.js";
import { column, columns, modeNames, type Table } from "./table.js";
import { milliseconds, percent, tokensPerSecond } from "./value.js";

/** How free the consuming thread is while tokens arrive. */
export function mainThread({ mainThread: measurements }: ResultRecord): Table {
  const period = measurements[0]?.timer.periodMilliseconds;
  return {
    heading: "The main thread meanwhile",
    title: "The main thread meanwhile (busy: event-loop utilisation):",
    columns: [
      ...columns("model", "host", "mode"),
      column("busy", "event-loop utilisation"),
      ...columns("tokens/s", `${period} ms timer fired`, "late p50", "p99", "max"),
    ],
    rows: measurements.map(({ timer, ...measurement }) => ({
      values: [
        measurement.model,
        measurement.host,
        modeNames[measurement.treatment],
        percent(measurement.eventLoopUtilization),
        tokensPerSecond(measurement.throughputTokensPerSecond),
        `${timer.fires} of ${timer.expectedFires}`,
        milliseconds(timer.p50LatenessNanoseconds),
        milliseconds(timer.p99LatenessNanoseconds),
        milliseconds(timer.maximumLatenessNanoseconds),
      ],
    })),
    definitions: ["timer lateness"],
  };
}
