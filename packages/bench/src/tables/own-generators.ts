import type { ResultRecord } from "../record/index.js";
import { comparisonOf, distributionOf } from "./comparisons.js";
import { cellColumns, cellValues, columns, modeNames, type Table } from "./table.js";
import { count, decimalEstimate, duration, percentEstimate } from "./value.js";

/** Engines of the runtime; every other word names a generator of the user's. */
const runtimeEngines: readonly string[] = ["onnx", "paced"];

/** What streaming costs a generator that the user brought, and how soon its tokens come. */
export function ownGenerators({ cells }: ResultRecord): Table {
  return {
    heading: "Your generators",
    title: "Streaming against generate(), Hodges–Lehmann [95 %], and how soon tokens come:",
    columns: [
      ...cellColumns,
      ...columns("mode", "overhead", "µs per token", "TTFT p50", "p99", "ITL p50", "p99", "blocks"),
    ],
    rows: cells
      .filter(({ engine }) => !runtimeEngines.includes(engine))
      .flatMap((cell) =>
        (["stream", "streamAsync"] as const).flatMap((mode) => {
          const first = distributionOf(cell, mode, "timeToFirstToken");
          const next = distributionOf(cell, mode, "interTokenLatency");
          const compared = comparisonOf(cell, mode);
          if (first === undefined) return [];
          return [
            {
              cell,
              values: [
                ...cellValues(cell),
                modeNames[mode],
                percentEstimate(compared?.overhead.hodgesLehmann),
                decimalEstimate(compared?.costMicrosecondsPerToken.hodgesLehmann),
                duration(first.p50Nanoseconds),
                duration(first.p99Nanoseconds),
                duration(next?.p50Nanoseconds),
                duration(next?.p99Nanoseconds),
                count(cell.blocks.length),
              ],
            },
          ];
        }),
      ),
    definitions: ["overhead", "time to first token (TTFT)", "inter-token latency (ITL)"],
  };
}
