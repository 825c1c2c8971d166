import { cellsTable } from "./cells-table.js";
import type { LongTable } from "./long-table.js";
import { modesTable } from "./modes-table.js";
import { runsTable } from "./runs-table.js";
import { tokensTable } from "./tokens-table.js";

/**
 * The tables of a record, from the shortest to the longest. `docs/data.md` says what each column
 * is. Columns are added, never renamed: queries that others keep go on working.
 */
export const longTables: readonly LongTable[] = [cellsTable, modesTable, runsTable, tokensTable];
