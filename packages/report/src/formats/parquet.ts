import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { StreamedFile } from "./exported-file.js";
import type { ColumnHead, ColumnType, ColumnValue } from "./tables/column.js";
import { longTables } from "./tables/long-tables.js";
import type { LongTable, TableSource } from "./tables/long-table.js";

/** Rows of a row group: as many are held at once, beside the samples of one cell. */
const rowsPerGroup = 32_768;

type Schema = ConstructorParameters<typeof ParquetWriter>[0]["schema"];

/**
 * The long tables as Parquet files: Snappy, 64-bit integers and doubles, texts as UTF-8, times in
 * milliseconds of UTC. Every column may be empty. The same record gives the same bytes.
 */
export function renderParquet(source: TableSource): StreamedFile[] {
  return longTables.map((table) => ({
    name: `${table.name}.parquet`,
    content: bytesOf(table, source),
  }));
}

async function* bytesOf(table: LongTable, source: TableSource): AsyncGenerator<Uint8Array> {
  const { columns } = table;
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: schemaOf(columns) });
  for await (const group of groupsOf(table, source)) {
    await file.write({
      columnData: columns.map(({ name, type }, index) => ({
        name,
        data: group[index] as unknown[],
        // Two thirds of the size: neighbours are alike.
        ...(type === "integer" && { encoding: "DELTA_BINARY_PACKED" as const }),
      })),
      rowGroupSize: rowsPerGroup,
    });
    yield taken(writer);
  }
  await file.finish();
  yield taken(writer);
}

/** A copy of what was written since the last time. The writer goes on counting from the file's start. */
function taken(writer: ByteWriter): Uint8Array {
  const bytes = new Uint8Array(writer.getBuffer());
  writer.index = 0;
  return bytes;
}

/** The values column by column, for so many rows at a time. */
async function* groupsOf(
  { columns, batches }: LongTable,
  source: TableSource,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  const emptyGroup = (): unknown[][] => columns.map(() => []);
  let group = emptyGroup();
  for await (const batch of batches(source)) {
    for (const values of batch) {
      for (const [index, { type }] of columns.entries()) {
        group[index]?.push(stored(type, values[index] as ColumnValue));
      }
      if ((group[0]?.length ?? 0) < rowsPerGroup) continue;
      yield group;
      group = emptyGroup();
    }
  }
  if ((group[0]?.length ?? 0) > 0) yield group;
}

/** A value as the library takes it. */
function stored(type: ColumnType, value: ColumnValue): unknown {
  return type === "integer" && typeof value === "number" ? BigInt(value) : value;
}

function schemaOf(columns: readonly ColumnHead[]): Schema {
  return [
    { name: "root", num_children: columns.length },
    ...columns.map(({ name, type }) => ({
      name,
      repetition_type: "OPTIONAL" as const,
      ...physicalTypes[type],
    })),
  ];
}

const physicalTypes = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
  time: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" },
} as const satisfies Readonly<Record<ColumnType, Partial<Schema[number]>>>;
