import type { ResultRecord } from "../record/index.js";
import { firstAndNextToken } from "../tables/latencies.js";
import { ownGenerators } from "../tables/own-generators.js";
import { parts } from "../tables/parts.js";
import type { Table } from "../tables/table.js";
import { attention } from "./attention.js";
import { sparklines } from "./sparklines.js";
import { writeTable, type SummaryOptions } from "./write-table.js";
import { terminalText } from "./terminal-text.js";

export type { SummaryOptions };

/** The outcome of a run for a terminal: verdicts first. */
export function renderSummary(record: ResultRecord, options: SummaryOptions): string {
  const write = (tables: readonly Table[]): string[] =>
    tables.flatMap((table) => writeTable(table, options));
  const { verdicts, ...rest } = parts;
  const text = [
    ...verdicts.groups(record).map(write),
    write([firstAndNextToken(record), ownGenerators(record)]),
    sparklines(record, options),
    ...Object.values(rest)
      .filter(({ only }) => only !== "document")
      .flatMap(({ groups }) => groups(record).map(write)),
    attention(record),
    [
      `Recording one token takes ${record.instrument.recordingNanoseconds} ns (median); this counts as a cost of streaming.`,
      `Run ${record.runId} (profile ${record.profile}, seed ${record.seed}): ${record.status}.`,
      `Record: ${options.recordPath}`,
    ],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  return `\n${terminalText(text, options)}\n`;
}
