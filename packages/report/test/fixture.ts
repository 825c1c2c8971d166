import { fileURLToPath } from "node:url";
import type { ResultRecord } from "@streamgauge/bench/record";
import { readRecordFile } from "@streamgauge/bench/record-file";
import { renderPages, type CommittedResults } from "@streamgauge/report";

/** Path of a record of two generators and three cells, made by the bench over a fake clock. */
export const fixturePath: string = fileURLToPath(
  new URL("fixtures/record.json.gz", import.meta.url),
);

export async function fixtureRecord(): Promise<ResultRecord> {
  return await readRecordFile(fixturePath);
}

/** Every page of a record, one after another. */
export function everything(record: ResultRecord, committed: CommittedResults = {}): string {
  return renderPages(record, committed)
    .map(({ text }) => text)
    .join("\n");
}
