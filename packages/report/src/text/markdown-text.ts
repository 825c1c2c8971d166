import { printable } from "@streamgauge/bench/tables";

/**
 * Text for Markdown from strings that anybody may have chosen: names of models,
 * CPUs, error messages. Nothing in them becomes markup or ends a table cell.
 */
export function escapeMarkdown(text: string): string {
  return printable(text.replaceAll(/\s+/g, " "))
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_[\]|~]/g, String.raw`\$&`)
    .trim();
}

/** A table whose every cell is text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${head.map(() => " --- |").join("")}`, ...rows.map(line)].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(escapeMarkdown).join(" | ")} |`;
}

/** A bullet list whose every item is text. */
export function list(items: readonly string[]): string {
  return items.map((item) => `- ${escapeMarkdown(item)}`).join("\n");
}

/** Lines of code. Indented, because no content can end such a block. */
export function codeBlock(lines: readonly string[]): string {
  return lines.map((code) => `    ${printable(code.replaceAll(/\s+/g, " "))}`).join("\n");
}
