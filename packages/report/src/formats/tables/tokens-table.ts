import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import type { RawBlock, RawRun } from "@streamgauge/bench/record-file";
import { modeKeys } from "../measured-modes.js";
import { integer, text, type Column } from "./column.js";
import { longTable, type LongTable } from "./long-table.js";

interface TokenRow {
  readonly runId: string;
  readonly cellId: string;
  readonly process: number;
  readonly block: number;
  readonly position: number;
  readonly run: RawRun;
  readonly stream: number;
  readonly token: number;
  /** In the run, whose streams stand one after the other. */
  readonly index: number;
}

const columns: readonly Column<TokenRow>[] = [
  text("run_id", ({ runId }) => runId),
  text("cell", ({ cellId }) => cellId),
  integer("process", ({ process }) => process),
  integer("block", ({ block }) => block),
  integer("position", ({ position }) => position),
  text("mode", ({ run }) => modeKeys[run.treatment]),
  integer("stream", ({ stream }) => stream),
  integer("token", ({ token }) => token),
  integer("delivered_nanoseconds", ({ run, index }) => run.deliveredNanoseconds[index]),
  integer("inter_token_latency_nanoseconds", ({ run, index, token }) =>
    token === 0
      ? null
      : difference(run.deliveredNanoseconds, index, run.deliveredNanoseconds, index - 1),
  ),
  integer("delivery_latency_nanoseconds", ({ run, index }) =>
    difference(run.deliveredNanoseconds, index, run.producedNanoseconds, index),
  ),
  integer("callback_nanoseconds", ({ run, index }) => run.callbackNanoseconds[index]),
];

/** Null where one of the two was not measured. */
function difference(
  from: Float64Array,
  at: number,
  before: Float64Array,
  then: number,
): number | null {
  const nanoseconds = (from[at] as number) - (before[then] as number);
  return Number.isNaN(nanoseconds) ? null : nanoseconds;
}

/** A row for each token that a stream delivered, from the raw samples. */
export const tokensTable: LongTable = longTable("tokens", columns, async function* (source) {
  const { record, readSamples } = source;
  for (const cell of record.cells) yield tokensOf(record, cell, await readSamples(cell));
});

function* tokensOf(
  { runId }: ResultRecord,
  { id: cellId, concurrency = 1 }: Cell,
  blocks: readonly RawBlock[],
): Generator<TokenRow> {
  for (const [block, { process, runs }] of blocks.entries()) {
    for (const [position, run] of runs.entries()) {
      const count = run.deliveredNanoseconds.length;
      const perStream = Math.max(1, Math.floor(count / concurrency));
      for (let index = 0; index < count; index += 1) {
        const stream = Math.floor(index / perStream);
        const token = index - stream * perStream;
        yield { runId, cellId, process, block, position, run, stream, token, index };
      }
    }
  }
}
