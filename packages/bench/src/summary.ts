import type { ResultRecord } from "./record.js";
import { attention } from "./summary/attention.js";
import { calibration } from "./summary/calibration.js";
import { costs } from "./summary/costs.js";
import { aborts, arrivals, slowConsumers } from "./summary/loads.js";
import { engine } from "./summary/engine.js";
import { mainThread } from "./summary/main-thread.js";
import { memory } from "./summary/memory.js";
import { profiles } from "./summary/profiles.js";
import { sparklines } from "./summary/sparklines.js";
import { tails } from "./summary/tails.js";
import { transports } from "./summary/transports.js";
import type { SummaryOptions } from "./summary/table.js";
import { verdicts } from "./summary/verdicts.js";
import { toAscii } from "./terminal-text.js";

export type { SummaryOptions };

/** The outcome of a run for a terminal: verdicts first. */
export function renderSummary(record: ResultRecord, options: SummaryOptions): string {
  const text = [
    verdicts(record, options),
    sparklines(record, options),
    costs(record, options),
    tails(record, options),
    calibration(record, options),
    mainThread(record, options),
    arrivals(record, options),
    aborts(record, options),
    slowConsumers(record, options),
    ...transports(record, options),
    ...engine(record, options),
    memory(record, options),
    ...profiles(record, options),
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
  return `\n${options.unicode ? text : toAscii(text)}\n`;
}
