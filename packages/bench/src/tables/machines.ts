import type { ResultRecord } from "../record/index.js";
import { cellColumns, cellValues, columns, modeNames, type Table } from "./table.js";
import { count, percent, percentEstimate } from "./value.js";

/** What several machines of one class say together; without rows where one machine measured. */
export function machines({ cells, machineComparisons = [] }: ResultRecord): Table {
  return {
    heading: "Over machines",
    title: "Overhead over machines of one class, and the standard deviations of each level:",
    columns: [
      ...cellColumns,
      ...columns("mode", "machines", "overhead", "of machines", "of processes", "of blocks"),
    ],
    rows: machineComparisons.map((each) => {
      const cell = cells.find(({ id }) => id === each.cell);
      const { standardDeviations } = each;
      return {
        cell,
        values: [
          ...(cell === undefined ? [each.cell, "", "", ""] : cellValues(cell)),
          modeNames[each.treatment],
          count(each.machines),
          percentEstimate(each.overhead),
          percent(standardDeviations.machines, 2),
          percent(standardDeviations.processes, 2),
          percent(standardDeviations.blocks, 2),
        ],
      };
    }),
    definitions: ["over machines"],
  };
}
