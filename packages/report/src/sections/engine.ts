import { basename, dirname } from "node:path";
import type { ResultRecord } from "@streamgauge/bench/record";
import { engine as tablesOf } from "@streamgauge/bench/tables";
import type { CommittedResults } from "../files/committed-results.js";
import type { FoundRecord } from "../files/find-record.js";
import { showCommit } from "./machine.js";
import { tableSection } from "./section.js";

/**
 * The engine against others, and against itself; nothing where none was measured. What
 * a newer record says of it comes instead, with where it is from.
 */
export function engine(own: ResultRecord, { engine: newest }: CommittedResults = {}): string[] {
  const newer =
    newest !== undefined && newest.record.startedAt > own.startedAt ? newest : undefined;
  const record = newer?.record ?? own;
  return tablesOf(record).map((table, index) =>
    tableSection(
      record,
      newer === undefined || index > 0
        ? table
        : { ...table, notes: [sourceOf(newer), ...(table.notes ?? [])] },
    ),
  );
}

function sourceOf({ path, record: { startedAt, environment } }: FoundRecord): string {
  return (
    `What is said of the engine is from results/${basename(dirname(path))}, measured later ` +
    `than the rest: on ${startedAt.slice(0, 10)}, at commit ${showCommit(environment.git)}.`
  );
}
