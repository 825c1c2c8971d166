import type { Cell, ResultRecord, Treatment } from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import { withInterval } from "../text/numbers.js";
import {
  cellColumns,
  cellHead,
  comparisonOf,
  hasSeveralProcesses,
  sampleColumns,
  sampleHead,
  section,
} from "./section.js";

/** What streaming costs per token, and what the user's code takes of it. */
export function costs(record: ResultRecord): string {
  const rows = record.cells.flatMap((cell) =>
    (["stream", "streamAsync"] as const).flatMap((treatment) => {
      const comparison = comparisonOf(cell, treatment);
      if (comparison === undefined) return [];
      const claim = record.claims.find(
        (candidate) =>
          candidate.cell === cell.id &&
          candidate.treatment === treatment &&
          candidate.metric === "overhead",
      );
      const breakEven = claim?.breakEvenMicrosecondsPerToken ?? null;
      return [
        [
          ...cellColumns(cell),
          modeNames[treatment],
          withInterval(comparison.costMicrosecondsPerToken.hodgesLehmann),
          withInterval(comparison.costMicrosecondsPerToken.mean),
          showCallback(cell, treatment),
          ...sampleColumns(comparison),
          breakEven === null ? "–" : breakEven.toFixed(1),
        ],
      ];
    }),
  );
  return section(record, "Absolute cost", rows, {
    head: [
      ...cellHead,
      "mode",
      "µs per token (Hodges–Lehmann)",
      "µs per token (mean)",
      "of it in the callback",
      ...sampleHead,
      "break-even, µs per token",
    ],
    definitions: [
      "absolute cost",
      "break-even",
      ...(hasSeveralProcesses(record) ? ["sample level"] : []),
    ],
  });
}

/** Empty where it is not timed. */
function showCallback({ analysis }: Cell, treatment: Treatment): string {
  const summary = analysis?.treatments.find((candidate) => candidate.treatment === treatment);
  return summary?.callbackMicrosecondsPerToken?.toFixed(1) ?? "";
}
