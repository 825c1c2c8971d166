import {
  describeVariant,
  widestFirst,
  type MachineComparison,
  type ResultRecord,
} from "../record/index.js";
import { comparisonOf } from "./comparisons.js";
import { columns, modeNames, type Table } from "./table.js";
import { count, decimalEstimate, percent, percentEstimate, several } from "./value.js";

/** A class of machines, and the record of what it measured. */
export interface ClassRecord {
  readonly label: string;
  readonly record: ResultRecord;
}

/**
 * The claims, each with a row for every class of machines. Classes are never pooled: each row is of its
 * own record, with its own verdict.
 */
export function machineClasses(classes: readonly ClassRecord[]): Table {
  const rows = classes.flatMap(({ label, record }) =>
    widestFirst(record.claims).map((claim) => ({ label, record, claim })),
  );
  const keyOf = ({ claim }: (typeof rows)[number]): string => `${claim.cell} ${claim.id}`;
  const keys = [...new Set(rows.map(keyOf))];
  // The classes of one claim stand under each other.
  const sorted = keys.flatMap((key) => rows.filter((row) => keyOf(row) === key));
  return {
    heading: "Classes of machines",
    title: "Each class of machines by itself, against generate():",
    columns: columns(
      "machines",
      "CPU",
      "count",
      "model",
      "variant",
      "mode",
      "tokens",
      "overhead",
      "over machines",
      "spread: machines / processes / blocks",
      "µs per token",
      "processes",
      "limit",
      "verdict",
    ),
    rows: sorted.map(({ label, record, claim }) => {
      const cell = record.cells.find(({ id }) => id === claim.cell);
      const comparison = comparisonOf(cell, claim.treatment);
      const over = record.machineComparisons?.find(
        (each) => each.cell === claim.cell && each.treatment === claim.treatment,
      );
      return {
        cell,
        values: [
          label,
          record.environment.cpuModel,
          count(record.machines?.length ?? 1),
          cell?.model ?? null,
          cell === undefined ? "" : describeVariant(cell),
          modeNames[claim.treatment],
          count(cell?.tokens ?? 0),
          percentEstimate(comparison?.overhead.hodgesLehmann),
          over === undefined ? "" : percentEstimate(over.overhead),
          over === undefined ? "" : several(levels(over).map((level) => percent(level))),
          decimalEstimate(comparison?.costMicrosecondsPerToken.hodgesLehmann),
          count(comparison?.processes),
          claim.metric === "absoluteCost"
            ? `< ${claim.limit} µs`
            : `${claim.metric === "difference" ? "±" : "<"} ${Number((claim.limit * 100).toFixed(2))} %`,
          { kind: "verdict", verdict: claim.verdict } as const,
        ],
      };
    }),
    definitions: ["overhead", "over machines"],
  };
}

function levels({ standardDeviations: of }: MachineComparison): readonly number[] {
  return [of.machines, of.processes, of.blocks];
}
