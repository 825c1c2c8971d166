import type { ResultRecord } from "../record/index.js";
import { comparisonOf, processesOf } from "./comparisons.js";
import { cellColumns, cellValues, columns, modeNames, type Table } from "./table.js";
import { count, decimalEstimate, percentEstimate, tokensPerSecond } from "./value.js";

/** Each mode against `generate()` in each cell, with `generate()` against itself. */
export function overheads({ cells }: ResultRecord): Table {
  return {
    heading: "Overhead",
    title: "Each mode against generate(), Hodges–Lehmann estimates [95 %]:",
    columns: [
      ...columns("scenario"),
      ...cellColumns,
      ...columns("mode", "overhead", "µs per token", "tokens/s", "blocks", "processes"),
    ],
    rows: cells.flatMap((cell) =>
      (["control", "stream", "streamAsync"] as const).flatMap((treatment) => {
        const comparison = comparisonOf(cell, treatment);
        if (comparison === undefined) return [];
        const summary = cell.analysis?.treatments.find(
          (candidate) => candidate.treatment === treatment,
        );
        return [
          {
            cell,
            values: [
              cell.scenario,
              ...cellValues(cell),
              modeNames[treatment],
              percentEstimate(comparison.overhead.hodgesLehmann),
              decimalEstimate(comparison.costMicrosecondsPerToken.hodgesLehmann),
              tokensPerSecond(summary?.throughputTokensPerSecond),
              count(comparison.blocks),
              processesOf(comparison),
            ],
          },
        ];
      }),
    ),
    definitions: ["overhead", "absolute cost"],
  };
}
