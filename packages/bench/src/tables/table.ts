import { describeVariant, type Cell, type MeasuredMode, type Treatment } from "../record/index.js";
import { count, withoutInterval, type Value } from "./value.js";

/** A table of a record: rows once, for whoever writes them. */
export interface Table {
  /** Heading of its section in a document. */
  readonly heading: string;
  /** What stands above it in a terminal, where no definitions follow; ends with a colon. */
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Metrics of the record's definitions that a document explains under it. */
  readonly definitions?: readonly string[];
  /** A paragraph before it in a document. */
  readonly introduction?: string;
  /** Sentences that belong to it, in the words of the record. */
  readonly notes?: readonly Note[];
  /** How many rows of each {@link Row.group} a terminal has room for; all by default. */
  readonly mostTerminalRows?: number;
}

export interface Column {
  readonly head: string;
  /** Its head in a document, where there is more room. */
  readonly documentHead?: string;
  /** The only place that shows it; both by default. */
  readonly only?: Place;
  /** The only place with room for the intervals of its estimates; both by default. */
  readonly intervalsIn?: Place;
  /** Characters that a terminal has room for; longer texts are cut. */
  readonly longest?: number;
}

export interface Row {
  /** As many as there are columns. */
  readonly values: readonly Value[];
  /** The cell of the record that it is about: a page filters by its scenario. */
  readonly cell?: Cell | undefined;
  /** Which of several lists in one table it is of; a row of none is always shown. */
  readonly group?: number;
}

/** A sentence, or one that only a terminal or a document shows. */
export type Note = Sentence | { readonly text: Sentence; readonly only: Place };

/** Words, or a phrase of words and quantities. */
export type Sentence = Exclude<Value, null>;

export type Place = "terminal" | "document";

/** What people call the ways of consuming tokens. */
export const modeNames: Readonly<Record<Treatment, string>> = {
  generate: "generate",
  control: "generate again",
  stream: "sync stream",
  streamAsync: "async stream",
};

/** Columns of {@link cellValues}. */
export const cellColumns: readonly Column[] = columns("model", "variant", "host", "tokens");

/** What tells one cell from another. */
export function cellValues(cell: Cell): Value[] {
  return [cell.model, describeVariant(cell), cell.host, count(cell.tokens)];
}

/** Columns of {@link modeValues}. */
export const modeColumns: readonly Column[] = columns("model", "host", "mode", "tokens");

/** What tells one measurement beside the cells from another. */
export function modeValues({ model, host, treatment, tokens }: MeasuredMode): Value[] {
  return [model, host, modeNames[treatment], count(tokens)];
}

/** Columns of {@link modeValues} in a table whose terminal has no room for the tokens. */
export const shortModeColumns: readonly Column[] = modeColumns.map((each) =>
  each.head === "tokens" ? documentColumn(each.head) : each,
);

/** Columns that look the same wherever they are shown. */
export function columns(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head }));
}

/** A column of documents only. */
export function documentColumn(head: string): Column {
  return { head, only: "document" };
}

/** A column of terminals only. */
export function terminalColumn(head: string): Column {
  return { head, only: "terminal" };
}

/** A column with a longer head in documents. */
export function column(head: string, documentHead: string): Column {
  return { head, documentHead };
}

/**
 * What a place shows of a table: its heads, and of each row its values. Columns of
 * the other place are left out, and those that are empty in every row.
 */
export function shownIn(
  place: Place,
  { columns: all, rows, mostTerminalRows }: Table,
): { readonly columns: readonly Column[]; readonly rows: readonly Row[] } {
  const listed = place === "terminal" ? firstOfEachGroup(rows, mostTerminalRows) : rows;
  const isShown = all.map(
    ({ only = place }, index) =>
      only === place && listed.some(({ values }) => values[index] !== ""),
  );
  const shown = all.filter((_, index) => isShown[index]);
  return {
    columns: shown,
    rows: listed.map((row) => ({
      ...row,
      values: row.values
        .filter((_, index) => isShown[index])
        .map((value, index) =>
          (shown[index]?.intervalsIn ?? place) === place ? value : withoutInterval(value),
        ),
    })),
  };
}

function firstOfEachGroup(rows: readonly Row[], most = Infinity): readonly Row[] {
  const shown = new Map<number, number>();
  return rows.filter(({ group }) => {
    if (group === undefined) return true;
    const before = shown.get(group) ?? 0;
    shown.set(group, before + 1);
    return before < most;
  });
}

/** The notes that a place shows. */
export function notesIn(place: Place, { notes = [] }: Table): Sentence[] {
  return notes.flatMap((note) => {
    if (typeof note === "string" || !("only" in note)) return [note];
    return note.only === place ? [note.text] : [];
  });
}
