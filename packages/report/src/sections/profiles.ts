import type { ResultRecord } from "@streamgauge/bench/record";
import { profiles as tablesOf } from "@streamgauge/bench/tables";
import { definitionsIn, tableSection } from "./section.js";

/** What instruments saw, and what turning them on costs; nothing where there were none. */
export function profiles(record: ResultRecord): string[] {
  const tables = tablesOf(record).flat();
  if (tables.length === 0) return [];
  return [
    "## Profiles, and what they cost",
    definitionsIn(record, ["cost of a profile"]),
    ...tables.map((table) => tableSection(record, table, { level: 3 })),
  ];
}
