import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import { boolean, integer, number, text, time, type Column } from "./column.js";
import { longTable, type LongTable } from "./long-table.js";

interface CellRow {
  readonly record: ResultRecord;
  readonly cell: Cell;
}

const columns: readonly Column<CellRow>[] = [
  text("run_id", ({ record }) => record.runId),
  text("cell", ({ cell }) => cell.id),
  time("started_at", ({ record }) => record.startedAt),
  text("profile", ({ record }) => record.profile),
  text("commit", ({ record }) => record.environment.git?.commit),
  text("cpu_model", ({ record }) => record.environment.cpuModel),
  integer("logical_cores", ({ record }) => record.environment.logicalCores),
  text("operating_system", ({ record }) => record.environment.operatingSystem),
  text("node_version", ({ record }) => record.environment.nodeVersion),
  text("scenario", ({ cell }) => cell.scenario),
  text("generator", ({ cell }) => cell.generator),
  text("engine", ({ cell }) => cell.engine),
  text("model", ({ cell }) => cell.model),
  text("host", ({ cell }) => cell.host),
  integer("tokens", ({ cell }) => cell.tokens),
  integer("slice_tokens", ({ cell }) => cell.sliceTokens),
  integer("concurrency", ({ cell }) => cell.concurrency ?? 1),
  integer("prompts", ({ cell }) => cell.prompts ?? 1),
  integer("prompt_tokens", ({ cell }) => cell.promptTokens),
  boolean("ends_naturally", ({ cell }) => cell.endsNaturally ?? false),
  text("workload", ({ cell }) => cell.workload),
  text("sampling", ({ cell }) => cell.sampling),
  integer("ring_capacity", ({ cell }) => cell.ringCapacity),
  integer("publish_batch", ({ cell }) => cell.publishBatch),
  text("ring_wait", ({ cell }) => cell.ringWait),
  number("spin_microseconds", ({ cell }) => cell.spinMicroseconds),
  number("max_delay_milliseconds", ({ cell }) => cell.maxDelayMilliseconds),
  number("injected_fraction", ({ cell }) => cell.injectedFraction),
  text("against", ({ cell }) => cell.against),
  text("status", ({ cell }) => cell.status),
  integer("processes", ({ cell }) => cell.processes.length),
  integer("planned_blocks", ({ cell }) => cell.plannedBlocks),
  integer("blocks", ({ cell }) => cell.blocks.length),
];

/** A row for each cell of a record: what was held fixed, and on which machine. */
export const cellsTable: LongTable = longTable("cells", columns, async function* ({ record }) {
  yield record.cells.map((cell) => ({ record, cell }));
});
