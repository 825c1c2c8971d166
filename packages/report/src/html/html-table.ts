import { escapeXml } from "../text/html-text.js";

/** A cell of a table: text, or text with classes of the page's style, which are never from a record. */
export type TableCell = string | { readonly text: string; readonly className: string };

/** A row, and the index of the scenario by which the page filters it. */
export interface TableRow {
  readonly scenario?: number;
  readonly cells: readonly TableCell[];
}

/** A table whose every cell is text, in a region that scrolls and can be reached by key. */
export function htmlTable(
  caption: string,
  head: readonly string[],
  rows: readonly TableRow[],
): string {
  const heads = head.map((text) => `<th scope="col">${escapeXml(text)}</th>`).join("");
  const body = rows.map(({ scenario, cells }) => {
    const attribute = scenario === undefined ? "" : ` data-scenario="${scenario}"`;
    return `<tr${attribute}>${cells.map(tableCell).join("")}</tr>`;
  });
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${escapeXml(caption)}"><table>` +
    `<caption>${escapeXml(caption)}</caption><thead><tr>${heads}</tr></thead>` +
    `<tbody>${body.join("\n")}</tbody></table></div>`
  );
}

function tableCell(cell: TableCell): string {
  return typeof cell === "string"
    ? `<td>${escapeXml(cell)}</td>`
    : `<td class="${cell.className}">${escapeXml(cell.text)}</td>`;
}
