import Table from "cli-table3";

/** A table with borders that the terminal can show. */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { unicode }: { readonly unicode: boolean },
): string {
  const table = new Table({
    head: [...head],
    // The library's own red heads would shout louder than the verdicts.
    style: { head: [], border: [], compact: true },
    ...(unicode ? {} : { chars: asciiBorders }),
  });
  table.push(...rows.map((row) => [...row]));
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
