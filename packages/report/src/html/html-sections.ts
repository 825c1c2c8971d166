import type { ClaimResult, ResultRecord } from "@streamgauge/bench/record";
import { latencies, modeNames, overheads, verdicts, type Table } from "@streamgauge/bench/tables";
import { escapeXml } from "../text/html-text.js";
import { htmlTable } from "./html-table.js";

/** Each claim and what became of it. */
export function verdictTables(record: ResultRecord): string {
  if (record.claims.length === 0) return "<p>No claim was made about this run.</p>";
  return [
    ...verdicts(record).flatMap((table) => [
      table.introduction === undefined ? "" : `<p>${escapeXml(table.introduction)}</p>`,
      htmlTable(record, withVerdictFirst(table), "terminal"),
    ]),
    reasons(record.claims),
  ].join("\n");
}

/** What a reader looks for first comes first: on a narrow screen the rest is scrolled to. */
function withVerdictFirst({ columns, rows, ...table }: Table): Table {
  const at = columns.findIndex(({ head }) => head === "verdict");
  const moved = <T>(list: readonly T[]): T[] => [
    ...list.slice(at, at + 1),
    ...list.slice(0, at),
    ...list.slice(at + 1),
  ];
  return {
    ...table,
    columns: moved(columns),
    rows: rows.map((row) => ({ ...row, values: moved(row.values) })),
  };
}

/** Why, in the words of the record. */
function reasons(claims: readonly ClaimResult[]): string {
  const items = claims
    .filter((claim) => claim.reasons.length > 0)
    .map((claim) => {
      const named = `${claim.cell}, ${modeNames[claim.treatment]}: ${claim.verdict}.`;
      return `<li>${escapeXml([named, ...claim.reasons].join(" "))}</li>`;
    });
  return items.length === 0
    ? ""
    : `<details><summary>Why: the reasons for each verdict</summary><ul>${items.join("\n")}</ul></details>`;
}

/** What each streaming mode costs in each cell. */
export function cellTable(record: ResultRecord): string {
  return htmlTable(record, overheads(record));
}

/** Percentiles of each distribution. */
export function latencyTables(record: ResultRecord): string {
  return latencies(record)
    .filter(({ rows }) => rows.length > 0)
    .map((table) => htmlTable(record, table))
    .join("\n");
}

/** What numbers mean, folded. */
export function definitions(all: ResultRecord["definitions"]): string {
  const items = all.map(
    ({ metric, formula }) => `<dt>${escapeXml(metric)}</dt><dd>${escapeXml(formula)}</dd>`,
  );
  return `<section aria-labelledby="definitions"><h2 id="definitions">What the numbers mean</h2>
<details><summary>${items.length} definitions</summary><dl>${items.join("\n")}</dl></details></section>`;
}
