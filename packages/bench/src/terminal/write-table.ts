import { notesIn, shownIn, type Table } from "../tables/table.js";
import { showValue } from "./show-value.js";
import { drawTable, terminalText } from "./terminal-text.js";

/** What the terminal can show, and where the record is. */
export interface SummaryOptions {
  readonly color: boolean;
  /** Without it the text is plain ASCII. */
  readonly unicode: boolean;
  readonly recordPath: string;
}

/** The title, the table and its notes; without rows only the notes. */
export function writeTable(table: Table, options: SummaryOptions): string[] {
  const notes = notesIn("terminal", table).map((note) => showValue(note, options.color));
  const { columns, rows } = shownIn("terminal", table);
  if (rows.length === 0) return notes;
  // Before it is drawn: what stands for a character can be longer than the character.
  const shown = (text: string): string => terminalText(text, options);
  const texts = rows.map(({ values }) =>
    values.map((value, index) =>
      shown(shorten(showValue(value, options.color), columns[index]?.longest)),
    ),
  );
  const heads = columns.map(({ head }) => shown(head));
  return [table.title, drawTable(heads, texts, options), ...notes];
}

function shorten(text: string, longest = Infinity): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
