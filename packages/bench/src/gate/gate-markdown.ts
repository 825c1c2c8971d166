import { printable } from "@streamgauge/core";
import {
  describeVersion,
  gateColumns,
  gateHeadline,
  gateNotes,
  gateRows,
  type GateReport,
} from "./gate-report.js";

/**
 * By which a workflow finds its own comment, to replace it. It is the first line.
 */
export const gateCommentMarker = "<!-- streamgauge-gate -->";

/**
 * A gate as Markdown, for a comment on a pull request or a job's summary. Names
 * come from outside (a branch can be called anything), so they are inert: no
 * markup, link, mention or HTML survives.
 */
export function renderGateMarkdown(report: GateReport): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(inert).join(" | ")} |`;
  return `${[
    gateCommentMarker,
    `### ${inert(gateHeadline(report))}`,
    "",
    `base ${describeVersion(report.base, inert)}, head ${describeVersion(report.head, inert)}`,
    "",
    row(gateColumns),
    `| ${gateColumns.map((_, column) => (column === 0 ? "---" : "---:")).join(" | ")} |`,
    ...gateRows(report).map(row),
    "",
    ...gateNotes(report).map((note) => `${inert(note)}  `),
  ].join("\n")}\n`;
}

/**
 * Text that Markdown shows and does not read: everything but letters, digits and
 * harmless punctuation becomes a character reference, which is text even where
 * the character would begin something. Line breaks become spaces.
 */
function inert(text: string): string {
  return (
    printable(text)
      .replaceAll(/\s+/gu, " ")
      .replaceAll(/[^\p{L}\p{N} .,;%+−–→()]/gu, (character) => `&#${character.codePointAt(0)};`)
      // A bare "www." becomes a link.
      .replaceAll(/\bwww\./giu, (start) => `${start.slice(0, 3)}&#46;`)
  );
}
