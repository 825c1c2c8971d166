import type { ResultRecord } from "@streamgauge/bench/record";
import { inUnitOf, percentWithInterval } from "../text/numbers.js";
import {
  cellColumns,
  cellHead,
  comparisonOf,
  sampleColumns,
  sampleHead,
  section,
} from "./section.js";

/** What the bench reports where there is no difference. */
export function controls(record: ResultRecord): string {
  const rows = record.cells.flatMap((cell) => {
    const control = comparisonOf(cell, "control");
    if (control === undefined) return [];
    const judged = record.claims.flatMap((claim) => {
      if (claim.cell !== cell.id || claim.control === null) return [];
      const outcome = claim.control.equivalent ? "equivalent" : "not equivalent";
      return [`± ${inUnitOf(claim, claim.control.margin)}: ${outcome}`];
    });
    return [
      [
        ...cellColumns(cell),
        percentWithInterval(control.overhead.hodgesLehmann),
        percentWithInterval(control.overhead.mean),
        String(control.blocks),
        ...sampleColumns(control),
        String(cell.warmUp.blocksDropped),
        judged.join("; ") || "–",
      ],
    ];
  });
  return section(record, "Control: generate against itself", rows, {
    head: [
      ...cellHead,
      "difference (Hodges–Lehmann)",
      "difference (mean)",
      "blocks",
      ...sampleHead,
      "warm-up blocks dropped",
      "gate",
    ],
    definitions: ["control"],
  });
}
