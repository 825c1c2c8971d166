import type { ResultRecord } from "@streamgauge/bench/record";
import { shownIn, type Place, type Table, type Value } from "@streamgauge/bench/tables";
import { escapeXml } from "../text/html-text.js";
import { showValue } from "../text/show-value.js";
import { scenarioIndex } from "./scenarios.js";

/**
 * A table of a record for the page, in a region that scrolls and can be reached by key.
 * Rows about a cell carry the index of its scenario, by which the page filters them.
 *
 * @param columnsOf `terminal` shows the few columns that a terminal has room for
 */
export function htmlTable(
  record: ResultRecord,
  table: Table,
  columnsOf: Place = "document",
): string {
  const { columns, rows } = shownIn(columnsOf, table);
  const caption = escapeXml(table.title.replaceAll("\n", " ").replace(/:$/, "."));
  const heads = columns.map(
    ({ head, documentHead = head }) =>
      `<th scope="col">${escapeXml(columnsOf === "document" ? documentHead : head)}</th>`,
  );
  const body = rows.map(({ values, cell }) => {
    const scenario = cell === undefined ? "" : ` data-scenario="${scenarioIndex(record, cell)}"`;
    return `<tr${scenario}>${values.map(place).join("")}</tr>`;
  });
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>` +
    `<caption>${caption}</caption><thead><tr>${heads.join("")}</tr></thead>` +
    `<tbody>${body.join("\n")}</tbody></table></div>`
  );
}

/** Classes are of the page's style, and never from a record. */
function place(value: Value): string {
  const text = escapeXml(showValue(value));
  if (value === null || typeof value === "string") return `<td>${text}</td>`;
  return value.kind === "verdict"
    ? `<td class="verdict ${value.verdict}">${text}</td>`
    : `<td class="number">${text}</td>`;
}
