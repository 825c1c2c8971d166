import Table from "cli-table3";
import { printable } from "@streamgauge/core";

/** A table with borders, and in its cells characters, that the terminal can show. */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { unicode }: { readonly unicode: boolean },
): string {
  // Before it is drawn: one character can become several.
  const shown = (cells: readonly string[]): string[] =>
    cells.map((cell) => terminalText(cell, { unicode }));
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

/**
 * Text that a terminal shows and does not obey, whoever chose it. The only sequences that
 * stay are the colors of a verdict. Everything that is written to a terminal goes through here.
 *
 * @param unicode without it the text becomes ASCII: logs and pipes do not always say which
 * encoding they are read in
 */
export function terminalText(text: string, { unicode }: { readonly unicode: boolean }): string {
  return text
    .split(coloredVerdict)
    .map((part, index) => {
      if (index % 2 === 1) return part;
      // Both move the cursor over text that is there already.
      const clean = printable(part.replaceAll(/[\t\r]/g, " "));
      return unicode ? clean : toAscii(clean);
    })
    .join("");
}

/** As picocolors writes it. */
// oxlint-disable-next-line no-control-regex
const coloredVerdict = /(\u001B\[3\dm(?:upheld|refuted|inconclusive|void)\u001B\[39m)/;

function toAscii(text: string): string {
  return text.replaceAll(/[^\n -~]/gu, (character) => asciiFor[character] ?? "?");
}
