import { readTrials, type GateTrials } from "@streamgauge/bench/gate";
import { readHistories, type MachineHistory } from "@streamgauge/bench/history";
import { dirname, join } from "node:path";

/** What `results/` keeps beside records, and a document shows beside its own. */
export interface CommittedResults {
  /** One for each class of machines. */
  readonly histories?: readonly MachineHistory[];
  readonly gateTrials?: GateTrials | undefined;
}

/**
 * Reads `results/` beside a document; what is not there is left out.
 *
 * @throws an error with the code `INVALID_RECORD`, naming the file that is damaged
 */
export async function readCommittedResults(document: string): Promise<CommittedResults> {
  const results = join(dirname(document), "results");
  const [histories, gateTrials] = await Promise.all([
    readHistories(join(results, "history")),
    readTrials(results),
  ]);
  return { histories, gateTrials };
}
