import {
  describeVariant,
  type Cell,
  type Comparison,
  type MeasuredMode,
  type ResultRecord,
  type TreatmentSummary,
} from "@streamgauge/bench/record";
import { notesIn, shownIn, type Table } from "@streamgauge/bench/tables";
import { escapeMarkdown, list, table } from "../text/markdown-text.js";
import { showValue } from "../text/show-value.js";
import { modeNames } from "../text/mode-names.js";

/** Heads of {@link cellColumns}. */
export const cellHead = ["model", "variant", "host", "tokens"] as const;

/** What tells one cell from another. */
export function cellColumns(cell: Cell): string[] {
  return [cell.model, describeVariant(cell), cell.host, String(cell.tokens)];
}

/** Heads of {@link modeColumns}. */
export const modeHead = ["model", "host", "tokens", "mode"] as const;

/** What tells one measurement beside the cells from another. */
export function modeColumns({ model, host, tokens, treatment }: MeasuredMode): string[] {
  return [model, host, String(tokens), modeNames[treatment]];
}

/** Whether anything was compared in more than one process. */
export function hasSeveralProcesses({ cells }: ResultRecord): boolean {
  return cells.some(({ analysis }) =>
    analysis?.comparisons.some(({ processes = 1 }) => processes > 1),
  );
}

/** Heads of {@link sampleColumns}. */
export const sampleHead = ["processes", "sample"] as const;

const levelNames = {
  blocks: "block",
  processes: "process mean",
  "too few processes": "block, for too few processes",
} as const;

/** How many processes a comparison is from, and what is one sample of it; empty for one process. */
export function sampleColumns({ processes = 1, level = "blocks" }: Comparison): string[] {
  return processes === 1 ? ["", ""] : [String(processes), levelNames[level]];
}

/** A row for each treatment of each analysed cell. */
export function treatmentRows(
  { cells }: ResultRecord,
  columns: (summary: TreatmentSummary, cell: Cell) => string[],
): string[][] {
  return cells.flatMap((cell) =>
    (cell.analysis?.treatments ?? []).map((summary) => [
      ...cellColumns(cell),
      modeNames[summary.treatment],
      ...columns(summary, cell),
    ]),
  );
}

/** A treatment against `generate`, where there is an analysis. */
export function comparisonOf(
  cell: Cell | undefined,
  treatment: Comparison["treatment"],
): Comparison | undefined {
  return cell?.analysis?.comparisons.find((candidate) => candidate.treatment === treatment);
}

/**
 * A table with the definitions of its numbers under it; nothing without rows. A
 * column that is empty in every row is left out.
 */
export function section(
  record: ResultRecord,
  title: string,
  rows: readonly (readonly string[])[],
  {
    head,
    definitions,
    notes = [],
    level = 2,
    introduction = "",
  }: {
    readonly head: readonly string[];
    /** Names in the record's own definitions. */
    readonly definitions: readonly string[];
    readonly notes?: readonly string[];
    /** A paragraph before the table. */
    readonly introduction?: string;
    /** Of the heading. */
    readonly level?: 2 | 3;
  },
): string {
  if (rows.length === 0) return "";
  const defined = definitionsIn(record, definitions);
  const isShown = head.map((_, column) => rows.some((row) => row[column] !== ""));
  const shown = (row: readonly string[]): string[] => row.filter((_, column) => isShown[column]);
  return [
    `${"#".repeat(level)} ${title}`,
    ...(introduction === "" ? [] : [escapeMarkdown(introduction)]),
    table(shown(head), rows.map(shown)),
    ...(defined === "" ? [] : [defined]),
    ...(notes.length > 0 ? [list(notes)] : []),
  ].join("\n\n");
}

/** What a record's numbers mean, a line for each of the named metrics. */
export function definitionsIn(record: ResultRecord, metrics: readonly string[]): string {
  return record.definitions
    .filter(({ metric }) => metrics.includes(metric))
    .map(({ metric, formula }) => `**${escapeMarkdown(metric)}**: ${escapeMarkdown(formula)}.`)
    .join("  \n");
}

/**
 * A table of a record as a section; without rows only its notes, and nothing without
 * those. A metric is explained once in a document: under the first table that has it.
 *
 * @param explained metrics that were explained before; those of this table are added
 */
export function tableSection(
  record: ResultRecord,
  of: Table,
  { level = 2, explained = new Set() }: SectionOptions = {},
): string {
  const { columns, rows } = shownIn("document", of);
  const notes = notesIn("document", of).map(showValue);
  if (rows.length === 0 && notes.length > 0) {
    return `${"#".repeat(level)} ${of.heading}\n\n${list(notes)}`;
  }
  const definitions = (of.definitions ?? []).filter((metric) => !explained.has(metric));
  if (rows.length > 0) for (const metric of definitions) explained.add(metric);
  return section(
    record,
    of.heading,
    rows.map(({ values }) => values.map(showValue)),
    {
      head: columns.map(({ head, documentHead = head }) => documentHead),
      definitions,
      notes,
      introduction: of.introduction ?? "",
      level,
    },
  );
}

interface SectionOptions {
  /** Of the heading. */
  readonly level?: 2 | 3;
  readonly explained?: Set<string>;
}
