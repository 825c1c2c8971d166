import type { Cell, ResultRecord } from "@streamgauge/bench/record";

/** The scenarios of a record, in its order. */
export function scenariosOf({ cells }: ResultRecord): readonly string[] {
  return [...new Set(cells.map(({ scenario }) => scenario))];
}

/**
 * What the page knows a cell's scenario by. Not by its name: what a browser
 * makes of an attribute is not always what was written.
 */
export function scenarioIndex(record: ResultRecord, { scenario }: Cell): number {
  return scenariosOf(record).indexOf(scenario);
}
