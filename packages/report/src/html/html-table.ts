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
  const names = columns.map(({ head, documentHead = head }) =>
    escapeXml(columnsOf === "document" ? documentHead : head),
  );
  const heads = names.map((name, index) => {
    const isNumber = rows.some(({ values }) => isQuantity(values[index] ?? null));
    return `<th scope="col"${isNumber ? ' class="number"' : ""}>${name}</th>`;
  });
  const body = rows.map(({ values, cell }) => {
    const scenario = cell === undefined ? "" : ` data-scenario="${scenarioIndex(record, cell)}"`;
    return `<tr${scenario}>${values.map((value, index) => place(value, names[index] ?? "")).join("")}</tr>`;
  });
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>` +
    `<caption>${caption}</caption><thead><tr>${heads.join("")}</tr></thead>` +
    `<tbody>${body.join("\n")}</tbody></table></div>`
  );
}

/**
 * Classes are of the page's style, and never from a record.
 *
 * @param name of the column, escaped: a narrow screen shows it before the value
 */
function place(value: Value, name: string): string {
  const text = escapeXml(showValue(value));
  const label = name === "" ? "" : ` data-name="${name}"`;
  if (isQuantity(value)) return `<td class="number"${label}>${text}</td>`;
  if (value === null || typeof value === "string") {
    return text === "" ? "<td></td>" : `<td${label}>${text}</td>`;
  }
  const verdict = value.kind === "verdict" ? value.verdict : "";
  return `<td class="verdict ${verdict}">${text}</td>`;
}

/** Numbers stand to the right, one below the other. */
function isQuantity(value: Value): boolean {
  return value !== null && typeof value !== "string" && value.kind !== "verdict";
}
