import Table from "cli-table3";

/** A table with borders, and in its cells characters, that the terminal can show. */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { unicode }: { readonly unicode: boolean },
): string {
  // Before it is drawn: one character can become several.
  const shown = (cells: readonly string[]): string[] =>
    unicode ? [...cells] : cells.map((cell) => toAscii(cell));
  const table = new Table({
    head: shown(head),
    // The library's own red heads would shout louder than the verdicts.
    style: { head: [], border: [], compact: true },
    ...(unicode ? {} : { chars: asciiBorders }),
  });
  table.push(...rows.map(shown));
  return table.toString();
}

const asciiBorders = {
  top: "-",
  "top-mid": "+",
  "top-left": "+",
  "top-right": "+",
  bottom: "-",
  "bottom-mid": "+",
  "bottom-left": "+",
  "bottom-right": "+",
  left: "|",
  "left-mid": "+",
  mid: "-",
  "mid-mid": "+",
  right: "|",
  "right-mid": "+",
  middle: "|",
};

const asciiFor: Readonly<Record<string, string>> = {
  µ: "u",
  "±": "+/-",
  "−": "-",
  "–": "-",
  "·": "*",
  "×": "x",
  "→": "->",
  "…": "...",
  "′": "'",
  "≥": ">=",
};

/** Logs and pipes do not always say which encoding they are read in. */
export function toAscii(text: string): string {
  return text.replaceAll(/[^\n -~]/gu, (character) => asciiFor[character] ?? "?");
}
