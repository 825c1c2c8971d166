import { readTrials, type GateTrials } from "@streamgauge/bench/gate";
import { readHistories, type MachineHistory } from "@streamgauge/bench/history";
import { dirname, join } from "node:path";
import { findRecords, type FoundRecord } from "./find-record.js";

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

/**
 * The complete records in `results/`, the newest first. Those of the author's own machine are
 * nothing that a document could be checked against elsewhere.
 */
export async function findCommitted(results: string): Promise<FoundRecord[]> {
  const found = await findRecords(results, (name) => !/^local[\\/]/.test(name));
  return found.filter(({ record }) => record.status === "complete");
}
