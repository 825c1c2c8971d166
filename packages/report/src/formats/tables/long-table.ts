import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import type { RawBlock } from "@streamgauge/bench/record-file";
import type { Column, ColumnHead, ColumnValue } from "./column.js";

/**
 * Gives the raw samples of a cell; nothing for one that has none.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` where they are gone or damaged
 */
export type ReadSamples = (cell: Cell) => Promise<readonly RawBlock[]>;

/** What tables are made from. */
export interface TableSource {
  readonly record: ResultRecord;
  /** Asked for one cell at a time, so that the samples of one are held. */
  readonly readSamples: ReadSamples;
}

/** A table with a row for each of something, and a type for each column. */
export interface LongTable {
  /** Letters: the name of its file. */
  readonly name: string;
  readonly columns: readonly ColumnHead[];
  /**
   * The rows in batches, each made as it is read; a row has its values in the order of the columns.
   *
   * @throws what {@link ReadSamples} throws; InvalidRecordError for a value of another type
   */
  readonly batches: (source: TableSource) => AsyncIterable<Iterable<readonly ColumnValue[]>>;
}

/**
 * A table of what is taken from a record.
 *
 * @param rowsOf gives what a row is made from, in batches
 */
export function longTable<Row>(
  name: string,
  columns: readonly Column<Row>[],
  rowsOf: (source: TableSource) => AsyncIterable<Iterable<Row>>,
): LongTable {
  return {
    name,
    columns,
    async *batches(source) {
      for await (const rows of rowsOf(source)) yield valuesOf(rows, columns);
    },
  };
}

function* valuesOf<Row>(
  rows: Iterable<Row>,
  columns: readonly Column<Row>[],
): Generator<readonly ColumnValue[]> {
  for (const row of rows) yield columns.map((column) => column.of(row));
}
