import { widestClaims, type Cell, type ClaimResult, type ResultRecord } from "../record/index.js";
import { comparisonOf, processesOf } from "./comparisons.js";
import { cellColumns, cellValues, columns, type Table } from "./table.js";
import { count, percentEstimate } from "./value.js";

/** What the bench reports where there is no difference. */
export function controls(record: ResultRecord): Table {
  return {
    heading: "Control: generate against itself",
    title: "Control: generate() against itself:",
    columns: [
      ...cellColumns,
      ...columns("difference (Hodges–Lehmann)", "difference (mean)", "blocks", "processes"),
      ...columns("warm-up blocks dropped", "c, added to the bounds of verdicts"),
    ],
    rows: record.cells.flatMap((cell) => {
      const control = comparisonOf(cell, "control");
      if (control === undefined) return [];
      return [
        {
          cell,
          values: [
            ...cellValues(cell),
            percentEstimate(control.overhead.hodgesLehmann),
            percentEstimate(control.overhead.mean),
            count(control.blocks),
            processesOf(control),
            count(cell.warmUp.blocksDropped),
            judgedBy(record, cell) || null,
          ],
        },
      ];
    }),
    definitions: ["control"],
  };
}

/** Claims of one metric have the same control, unless they were decided at different looks. */
function judgedBy({ claims }: ResultRecord, cell: Cell): string {
  const each = widestClaims(claims).flatMap((claim) => {
    if (claim.cell !== cell.id || claim.control === null) return [];
    const outcome = claim.control.equivalent ? "no difference shown" : "a difference";
    return [`± ${inUnitOf(claim, claim.control.margin)}: ${outcome}`];
  });
  return [...new Set(each)].join("; ");
}

/** A limit, or a part of one, in the unit of its claim: `5 %`, `40 µs per token`. */
export function inUnitOf({ metric }: ClaimResult, value: number): string {
  return metric === "absoluteCost"
    ? `${Number(value.toFixed(2))} µs per token`
    : `${Number((value * 100).toFixed(2))} %`;
}
