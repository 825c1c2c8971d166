import type { Block, Cell, ResultRecord, Run } from "@streamgauge/bench/record";
import { modeKeys } from "../measured-modes.js";
import { integer, number, text, type Column } from "./column.js";
import { longTable, type LongTable } from "./long-table.js";

interface RunRow {
  readonly runId: string;
  readonly cell: Cell;
  readonly block: Block;
  readonly position: number;
  readonly run: Run;
}

const columns: readonly Column<RunRow>[] = [
  text("run_id", ({ runId }) => runId),
  text("cell", ({ cell }) => cell.id),
  integer("process", ({ block }) => block.process ?? 0),
  integer("block", ({ block }) => block.index),
  integer("position", ({ position }) => position),
  text("mode", ({ run }) => modeKeys[run.treatment]),
  integer("tokens", ({ cell, run }) => run.tokens ?? cell.tokens * (cell.concurrency ?? 1)),
  integer("end_to_end_nanoseconds", ({ run }) => run.endToEndNanoseconds),
  integer("time_to_first_token_nanoseconds", ({ run }) => run.timeToFirstTokenNanoseconds),
  integer("time_per_output_token_nanoseconds", ({ run }) => run.timePerOutputTokenNanoseconds),
  integer("cpu_microseconds", ({ run }) => run.cpuMicroseconds),
  number("event_loop_utilization", ({ run }) => run.eventLoopUtilization),
  integer("callback_nanoseconds", ({ run }) => run.callbackNanoseconds),
  integer("resident_bytes", ({ run }) => run.memory.residentBytes),
  integer("heap_used_bytes", ({ run }) => run.memory.heapUsedBytes),
  integer("external_bytes", ({ run }) => run.memory.externalBytes),
  integer("array_buffer_bytes", ({ run }) => run.memory.arrayBufferBytes),
];

/** A row for each run of each block of each cell. */
export const runsTable: LongTable = longTable("runs", columns, async function* ({ record }) {
  for (const cell of record.cells) yield runsOf(record, cell);
});

function* runsOf({ runId }: ResultRecord, cell: Cell): Generator<RunRow> {
  for (const block of cell.blocks) {
    for (const [position, run] of block.runs.entries()) {
      yield { runId, cell, block, position, run };
    }
  }
}
