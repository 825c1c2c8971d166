import type { ResultRecord } from "@streamgauge/bench/record";
import { duration } from "../text/numbers.js";
import { cellHead, section, treatmentRows } from "./section.js";

/** Tokens per second and their times, of each mode. */
export function throughput(record: ResultRecord): string {
  return section(
    record,
    "Throughput",
    treatmentRows(record, (summary) => [
      summary.throughputTokensPerSecond.toFixed(1),
      duration(summary.endToEndNanoseconds),
      duration(summary.timePerOutputTokenNanoseconds),
    ]),
    {
      head: [...cellHead, "mode", "tokens/s", "end-to-end", "time per output token"],
      definitions: ["output throughput", "end-to-end latency", "time per output token (TPOT)"],
    },
  );
}
