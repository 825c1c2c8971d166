import type { DistributionMetric, ResultRecord } from "../record/index.js";
import { distributionOf } from "./comparisons.js";
import { cellColumns, cellValues, columns, modeNames, type Table } from "./table.js";
import { count, duration } from "./value.js";

const metrics = [
  ["timeToFirstToken", "Time to first token", "time to first token (TTFT)"],
  ["interTokenLatency", "Inter-token latency", "inter-token latency (ITL)"],
  ["deliveryLatency", "Delivery latency", "delivery latency"],
  ["callbackTime", "Time in the callback", "callback time"],
] as const satisfies readonly (readonly [DistributionMetric, string, string])[];

/** The two latencies that people ask for first, of the cells that something is claimed of. */
export function firstAndNextToken({ cells, claims }: ResultRecord): Table {
  const claimed = cells.filter(({ id }) =>
    claims.some(({ cell, metric }) => cell === id && metric === "overhead"),
  );
  return {
    heading: "Time to first token, inter-token latency",
    title: "Time to first token (TTFT) and inter-token latency (ITL):",
    columns: [...cellColumns, ...columns("mode", "TTFT p50", "p99", "ITL p50", "p99")],
    rows: (claimed.length > 0 ? claimed : cells).flatMap((cell) =>
      (["stream", "streamAsync"] as const).flatMap((mode) => {
        const first = distributionOf(cell, mode, "timeToFirstToken");
        const next = distributionOf(cell, mode, "interTokenLatency");
        if (first === undefined && next === undefined) return [];
        return [
          {
            cell,
            values: [
              ...cellValues(cell),
              modeNames[mode],
              duration(first?.p50Nanoseconds),
              duration(first?.p99Nanoseconds),
              duration(next?.p50Nanoseconds),
              duration(next?.p99Nanoseconds),
            ],
          },
        ];
      }),
    ),
    definitions: ["time to first token (TTFT)", "inter-token latency (ITL)"],
  };
}

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
