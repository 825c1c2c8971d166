import { readFile } from "node:fs/promises";
import { parseRecord, type ResultRecord } from "@streamgauge/bench/record";
import { renderPages, type CommittedResults } from "@streamgauge/report";

/** A record of two generators and three cells, made by the bench over a fake clock. */
export async function fixtureRecord(): Promise<ResultRecord> {
  const path = new URL("fixtures/record.json", import.meta.url);
  return parseRecord(JSON.parse(await readFile(path, "utf8")));
}

/** Every page of a record, one after another. */
export function everything(record: ResultRecord, committed: CommittedResults = {}): string {
  return renderPages(record, committed)
    .map(({ text }) => text)
    .join("\n");
}
