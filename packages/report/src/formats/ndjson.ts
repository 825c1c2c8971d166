import type { StreamedFile } from "./exported-file.js";
import { longTables } from "./tables/long-tables.js";
import type { LongTable, TableSource } from "./tables/long-table.js";

/** Characters that are handed on at once. */
const chunkLength = 65_536;

/**
 * The long tables as NDJSON: an object on each line, with every column, and null where one is
 * empty. Times are ISO 8601. As much is held as the samples of one cell.
 */
export function renderNdjson(source: TableSource): StreamedFile[] {
  return longTables.map((table) => ({
    name: `${table.name}.ndjson`,
    content: linesOf(table, source),
  }));
}

async function* linesOf(table: LongTable, source: TableSource): AsyncGenerator<string> {
  const keys = table.columns.map(({ name }) => JSON.stringify(name));
  let text = "";
  for await (const batch of table.batches(source)) {
    for (const values of batch) {
      const fields = values.map((value, index) => `${keys[index]}:${JSON.stringify(value)}`);
      text += `{${fields.join(",")}}\n`;
      if (text.length < chunkLength) continue;
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}
