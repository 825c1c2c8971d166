import type { ResultRecord } from "@streamgauge/bench/record";
import { percent } from "../text/numbers.js";
import { cellHead, section, treatmentRows } from "./section.js";

/** What each mode costs the processors. */
export function cpu(record: ResultRecord): string {
  const rows = treatmentRows(record, ({ cpuMicrosecondsPerToken, eventLoopUtilization }) => [
    cpuMicrosecondsPerToken.toFixed(1),
    percent(eventLoopUtilization),
  ]);
  return section(record, "CPU", rows, {
    head: [...cellHead, "mode", "CPU, µs per token", "event-loop utilisation"],
    definitions: ["CPU cost"],
  });
}
