import type { ResultRecord } from "@streamgauge/bench/record";
import { machineClasses, type ClassRecord } from "@streamgauge/bench/tables";
import { tableSection } from "./section.js";

/**
 * What a run on many machines says of each class of them: a row for each claim and class. Classes are
 * never pooled.
 *
 * @param records one of each class; the definitions are those of the first
 */
export function renderClasses(records: readonly ResultRecord[]): string {
  const [first] = records;
  if (first === undefined) return "";
  return `${tableSection(first, machineClasses(classesOf(records)))}\n`;
}

/** The classes by their labels. @param records one of each class */
export function classesOf(records: readonly ResultRecord[]): readonly ClassRecord[] {
  return records
    .map((record) => ({ label: labelOf(record), record }))
    .toSorted((one, other) => (one.label < other.label ? -1 : 1));
}

/** Its owner's word for its machines; the CPU where nobody gave one. */
function labelOf({ machines, environment }: ResultRecord): string {
  return machines?.[0]?.label ?? environment.cpuModel;
}
