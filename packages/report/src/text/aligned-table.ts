import { escapeMarkdown } from "./markdown-text.js";

/** A table as the formatter of documents writes it: columns of one width. Every cell is text. */
export function alignedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [head, ...rows].map((row) => row.map(escapeMarkdown));
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => Array.from(row[column] ?? "").length)),
  );
  const line = (row: readonly string[], fill: string): string =>
    `| ${widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return cell + fill.repeat(Math.max(0, width - Array.from(cell).length));
      })
      .join(" | ")} |`;
  const [first = [], ...others] = cells;
  return [line(first, " "), line([], "-"), ...others.map((row) => line(row, " "))].join("\n");
}
