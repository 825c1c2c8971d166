import type { Estimate } from "@streamgauge/bench/record";
import { measuredModes, modeKeys, type MeasuredMode } from "../measured-modes.js";
import { integer, number, text, type Column } from "./column.js";
import { longTable, type LongTable } from "./long-table.js";

interface ModeRow extends MeasuredMode {
  readonly runId: string;
}

const columns: readonly Column<ModeRow>[] = [
  text("run_id", ({ runId }) => runId),
  text("cell", ({ cell }) => cell.id),
  text("mode", ({ treatment }) => modeKeys[treatment]),
  number("end_to_end_nanoseconds", ({ summary }) => summary.endToEndNanoseconds),
  number("throughput_tokens_per_second", ({ summary }) => summary.throughputTokensPerSecond),
  number(
    "time_per_output_token_nanoseconds",
    ({ summary }) => summary.timePerOutputTokenNanoseconds,
  ),
  number("cpu_microseconds_per_token", ({ summary }) => summary.cpuMicrosecondsPerToken),
  number("event_loop_utilization", ({ summary }) => summary.eventLoopUtilization),
  number("callback_microseconds_per_token", ({ summary }) => summary.callbackMicrosecondsPerToken),
  integer("peak_resident_bytes", ({ summary }) => summary.peakMemory.residentBytes),
  integer("peak_heap_used_bytes", ({ summary }) => summary.peakMemory.heapUsedBytes),
  integer("peak_external_bytes", ({ summary }) => summary.peakMemory.externalBytes),
  integer("peak_array_buffer_bytes", ({ summary }) => summary.peakMemory.arrayBufferBytes),
  integer("compared_blocks", ({ comparison }) => comparison?.blocks),
  integer("compared_processes", ({ comparison }) => comparison && (comparison.processes ?? 1)),
  text("sample_level", ({ comparison }) => comparison && (comparison.level ?? "blocks")),
  ...estimateColumns("overhead_mean", "", (mode) => mode.comparison?.overhead.mean),
  ...estimateColumns(
    "overhead_hodges_lehmann",
    "",
    (mode) => mode.comparison?.overhead.hodgesLehmann,
  ),
  ...estimateColumns(
    "cost_mean",
    "_microseconds_per_token",
    (mode) => mode.comparison?.costMicrosecondsPerToken.mean,
  ),
  ...estimateColumns(
    "cost_hodges_lehmann",
    "_microseconds_per_token",
    (mode) => mode.comparison?.costMicrosecondsPerToken.hodgesLehmann,
  ),
  number("standard_deviation", ({ comparison }) => comparison?.standardDeviation),
  number("smallest_detectable_effect", ({ comparison }) => comparison?.smallestDetectableEffect),
];

/** A value and its two-sided 95 % interval. */
function estimateColumns(
  name: string,
  unit: string,
  of: (mode: ModeRow) => Estimate | undefined,
): Column<ModeRow>[] {
  return [
    number(`${name}${unit}`, (mode) => of(mode)?.value),
    number(`${name}_lower95${unit}`, (mode) => of(mode)?.interval95.lower),
    number(`${name}_upper95${unit}`, (mode) => of(mode)?.interval95.upper),
  ];
}

/** A row for each mode of each cell with an analysis: medians, and the comparison with `generate`. */
export const modesTable: LongTable = longTable("modes", columns, async function* ({ record }) {
  yield measuredModes(record).map((mode) => ({ ...mode, runId: record.runId }));
});
