import type { DistributionMetric, ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import { duration } from "../text/numbers.js";
import { cellColumns, cellHead, section } from "./section.js";

/** The distributions over all tokens of a cell, a section for each metric. */
export function latencies(record: ResultRecord): string {
  return [
    distribution(record, "Time to first token", "timeToFirstToken", "time to first token (TTFT)"),
    distribution(record, "Inter-token latency", "interTokenLatency", "inter-token latency (ITL)"),
    distribution(record, "Delivery latency", "deliveryLatency", "delivery latency"),
    distribution(record, "Time in the callback", "callbackTime", "callback time"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function distribution(
  record: ResultRecord,
  title: string,
  metric: DistributionMetric,
  definition: string,
): string {
  const rows = record.cells.flatMap((cell) =>
    cell.distributions
      .filter((candidate) => candidate.metric === metric)
      .map((found) => [
        ...cellColumns(cell),
        modeNames[found.treatment],
        duration(found.p50Nanoseconds),
        duration(found.p90Nanoseconds),
        duration(found.p99Nanoseconds),
        duration(found.p999Nanoseconds),
        duration(found.maximumNanoseconds),
        String(found.count),
      ]),
  );
  return section(record, title, rows, {
    head: [...cellHead, "mode", "p50", "p90", "p99", "p99.9", "max", "count"],
    definitions: [definition],
  });
}
