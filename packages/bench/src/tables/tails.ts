import type { ResultRecord } from "../record/index.js";
import { cellColumns, cellValues, columns, type Table } from "./table.js";
import { count, percentEstimate } from "./value.js";

/** How much longer the slow runs of each mode take than those of `generate()`. */
export function tails({ cells }: ResultRecord): Table {
  const rows = cells
    .filter(({ tails: compared = [] }) => compared.length > 0)
    .map((cell) => ({
      cell,
      values: [
        ...cellValues(cell),
        ...(["stream", "streamAsync", "control"] as const).map((mode) =>
          percentEstimate(cell.tails?.find(({ treatment }) => treatment === mode)?.overhead),
        ),
        count(cell.blocks.length),
      ],
    }));
  return {
    heading: "Slow runs",
    title:
      "The slow runs: 95th percentile of end-to-end latency against that of generate() [95 %]:",
    columns: [...cellColumns, ...columns("sync stream", "async stream", "control", "blocks")],
    rows,
    definitions: ["tail overhead"],
  };
}
