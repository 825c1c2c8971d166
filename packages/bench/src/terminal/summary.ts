import type { ResultRecord } from "../record/index.js";
import { calibration } from "../tables/calibration.js";
import { costs } from "../tables/costs.js";
import { engine } from "../tables/engine.js";
import { memory } from "../tables/memory.js";
import { profiles } from "../tables/profiles.js";
import { aborts, arrivals, slowConsumers } from "../tables/loads.js";
import { mainThread } from "../tables/main-thread.js";
import { tails } from "../tables/tails.js";
import { transports } from "../tables/transports.js";
import type { Table } from "../tables/table.js";
import { verdicts } from "../tables/verdicts.js";
import { attention } from "./attention.js";
import { sparklines } from "./sparklines.js";
import { writeTable, type SummaryOptions } from "./write-table.js";
import { terminalText } from "./terminal-text.js";

export type { SummaryOptions };

/** The outcome of a run for a terminal: verdicts first. */
export function renderSummary(record: ResultRecord, options: SummaryOptions): string {
  const write = (table: Table): string[] => writeTable(table, options);
  const text = [
    verdicts(record).flatMap(write),
    sparklines(record, options),
    write(costs(record)),
    write(tails(record)),
    write(calibration(record)),
    write(mainThread(record)),
    write(arrivals(record)),
    write(aborts(record)),
    write(slowConsumers(record)),
    ...transports(record).map(write),
    ...engine(record).map(write),
    write(memory(record)),
    ...profiles(record).map((tables) => tables.flatMap(write)),
    attention(record),
    [
      `Recording one token takes ${record.instrument.recordingNanoseconds} ns (median); streaming is charged with it.`,
      `Run ${record.runId} (profile ${record.profile}, seed ${record.seed}): ${record.status}.`,
      `Record: ${options.recordPath}`,
    ],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  return `\n${terminalText(text, options)}\n`;
}
