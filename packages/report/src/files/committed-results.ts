import { readTrials, type GateTrials } from "@streamgauge/bench/gate";
import { readHistories, type MachineHistory } from "@streamgauge/bench/history";
import { dirname, join } from "node:path";
import { InvalidRecordError } from "@streamgauge/bench/record";
import { findRecords, type FoundRecord } from "./find-record.js";
import { trackedBelow } from "./tracked-files.js";

/** What `results/` keeps beside records, and a document shows beside its own. */
export interface CommittedResults {
  /** One for each class of machines. */
  readonly histories?: readonly MachineHistory[];
  readonly gateTrials?: GateTrials | undefined;
  /** The newest complete record that measured the engine. */
  readonly engine?: FoundRecord | undefined;
}

/**
 * Reads `results/` beside a document; what is not there is left out.
 *
 * @throws an error with the code `INVALID_RECORD`, naming the file that is damaged
 */
export async function readCommittedResults(document: string): Promise<CommittedResults> {
  const results = join(dirname(document), "results");
  const [histories, gateTrials, records] = await Promise.all([
    readHistories(join(results, "history")),
    readTrials(results),
    findCommitted(results),
  ]);
  const engine = records.find(({ record }) => (record.engine ?? []).length > 0);
  return { histories, gateTrials, engine };
}

/** The committed records in `results/` that are complete, the newest first. */
export async function findCommitted(results: string): Promise<FoundRecord[]> {
  const found = await findRecords(results, await trackedBelow(results));
  return found.filter(({ record }) => record.status === "complete");
}

/**
 * The record that documents are written from: of the committed ones of profile `full` that which
 * was started last.
 *
 * @throws InvalidRecordError when there is none
 */
export async function findNewestFull(results: string): Promise<FoundRecord> {
  const newest = (await findCommitted(results)).find(
    ({ record: { profile, cells } }) => profile === "full" && cells.length > 0,
  );
  if (newest !== undefined) return newest;
  throw new InvalidRecordError(
    `There is no committed record of profile full under ${results}. Add one to git, name a ` +
      "record by --record, or render your own newest run by --local.",
  );
}
