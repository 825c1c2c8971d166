import type { ResultRecord } from "@streamgauge/bench/record";
import { notesIn, shownIn, type Place, type Table } from "@streamgauge/bench/tables";
import { escapeMarkdown, list, table } from "../text/markdown-text.js";
import { showValue } from "../text/show-value.js";

/**
 * A table of a record as a section, with the definitions of its numbers under it; without rows
 * only its notes, and nothing without those. A metric is explained once in a document: under the
 * first table that has it.
 *
 * @param explained metrics that were explained before; those of this table are added
 */
export function tableSection(
  record: ResultRecord,
  of: Table,
  { level = 2, explained = new Set() }: SectionOptions = {},
): string {
  const notes = notesIn("document", of).map(showValue);
  if (of.rows.length === 0) {
    return notes.length === 0 ? "" : [headingOf(of, level), list(notes)].join("\n\n");
  }
  const definitions = (of.definitions ?? []).filter((metric) => !explained.has(metric));
  for (const metric of definitions) explained.add(metric);
  return [
    headingOf(of, level),
    escapeMarkdown(of.introduction ?? ""),
    rowsOf(of, "document"),
    definitionsIn(record, definitions),
    list(notes),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

interface SectionOptions {
  /** Of the heading. */
  readonly level?: 2 | 3;
  readonly explained?: Set<string>;
}

/** A table with the few columns that a terminal has room for, and without definitions. */
export function briefSection(of: Table, notes: readonly string[] = []): string {
  if (of.rows.length === 0) return "";
  return [
    headingOf(of, 2),
    escapeMarkdown(of.introduction ?? ""),
    rowsOf(of, "terminal"),
    list(notes),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What a record's numbers mean, a line for each of the named metrics. */
export function definitionsIn(record: ResultRecord, metrics: readonly string[]): string {
  return record.definitions
    .filter(({ metric }) => metrics.includes(metric))
    .map(({ metric, formula }) => `**${escapeMarkdown(metric)}**: ${escapeMarkdown(formula)}.`)
    .join("  \n");
}

function headingOf({ heading }: Table, level: 2 | 3): string {
  return `${"#".repeat(level)} ${escapeMarkdown(heading)}`;
}

function rowsOf(of: Table, place: Place): string {
  const { columns, rows } = shownIn(place, of);
  const heads = columns.map(({ head, documentHead = head }) =>
    place === "document" ? documentHead : head,
  );
  return table(
    heads,
    rows.map(({ values }) => values.map(showValue)),
  );
}
