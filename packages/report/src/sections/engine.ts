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
export function engine(own: ResultRecord, committed: CommittedResults = {}): string[] {
  const { engine: record, from } = newestEngine(own, committed);
  return tablesOf(record).map((table, index) =>
    tableSection(
      record,
      from === undefined || index > 0
        ? table
        : { ...table, notes: [sourceOfEngine(from), ...(table.notes ?? [])] },
    ),
  );
}

/** The record that says most lately what the engine does; `from` where that is another one. */
export function newestEngine(
  own: ResultRecord,
  { engine: newest }: CommittedResults,
): { readonly engine: ResultRecord; readonly from?: FoundRecord } {
  return newest !== undefined && newest.record.startedAt > own.startedAt
    ? { engine: newest.record, from: newest }
    : { engine: own };
}

/** Where and when the engine was measured, if not with the rest. */
export function sourceOfEngine({ path, record: { startedAt, environment } }: FoundRecord): string {
  return (
    `The engine's numbers are from results/${basename(dirname(path))}, measured later ` +
    `than the rest: on ${startedAt.slice(0, 10)}, at commit ${showCommit(environment.git)}.`
  );
}
