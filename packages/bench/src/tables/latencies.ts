import type { DistributionMetric, ResultRecord } from "../record/index.js";
import { cellColumns, cellValues, columns, modeNames, type Table } from "./table.js";
import { count, duration } from "./value.js";

const metrics = [
  ["timeToFirstToken", "Time to first token", "time to first token (TTFT)"],
  ["interTokenLatency", "Inter-token latency", "inter-token latency (ITL)"],
  ["deliveryLatency", "Delivery latency", "delivery latency"],
  ["callbackTime", "Time in the callback", "callback time"],
] as const satisfies readonly (readonly [DistributionMetric, string, string])[];

/** The distributions over all tokens of a cell, a table for each metric. */
export function latencies({ cells }: ResultRecord): Table[] {
  return metrics.map(([metric, heading, definition]) => ({
    heading,
    title: `${heading}, over all tokens of a cell:`,
    columns: [...cellColumns, ...columns("mode", "p50", "p90", "p99", "p99.9", "max", "count")],
    rows: cells.flatMap((cell) =>
      cell.distributions
        .filter((candidate) => candidate.metric === metric)
        .map((found) => ({
          cell,
          values: [
            ...cellValues(cell),
            modeNames[found.treatment],
            duration(found.p50Nanoseconds),
            duration(found.p90Nanoseconds),
            duration(found.p99Nanoseconds),
            duration(found.p999Nanoseconds),
            duration(found.maximumNanoseconds),
            count(found.count),
          ],
        })),
    ),
    definitions: [definition],
  }));
}
