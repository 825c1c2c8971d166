import { describeVariant, type Cell, type Comparison, type MeasuredMode } from "../record/index.js";
import { drawTable, toAscii } from "./terminal-text.js";
import type { SummaryOptions } from "./write-table.js";

export type { SummaryOptions } from "./write-table.js";

/** What the terminal calls the ways of consuming tokens. */
export const modeNames = {
  generate: "generate",
  control: "generate again",
  stream: "sync stream",
  streamAsync: "async stream",
} as const;

/** Heads of {@link cellColumns}. */
export const cellHead = ["model", "variant", "host", "tokens"] as const;

/** What tells one cell from another. */
export function cellColumns(cell: Cell): string[] {
  return [cell.model, describeVariant(cell), cell.host, String(cell.tokens)];
}

/** Heads of {@link modeColumns}. */
export const modeHead = ["model", "host", "mode", "tokens"] as const;

/** What tells one measurement beside the cells from another. */
export function modeColumns({ model, host, treatment, tokens }: MeasuredMode): string[] {
  return [model, host, modeNames[treatment], String(tokens)];
}

/** A treatment against `generate`, where there is an analysis. */
export function comparisonOf(
  cell: Cell | undefined,
  treatment: Comparison["treatment"],
): Comparison | undefined {
  return cell?.analysis?.comparisons.find((candidate) => candidate.treatment === treatment);
}

const levelNames = {
  blocks: "blocks",
  processes: "means",
  "too few processes": "too few",
} as const;

/**
 * How many processes comparisons of one cell are from, and what is one sample of
 * each: a block, or a process mean. Empty for a single process.
 */
export function showProcesses(...comparisons: readonly Comparison[]): string {
  const [{ processes = 1 } = {}] = comparisons;
  const levels = new Set(comparisons.map(({ level = "blocks" }) => levelNames[level]));
  return processes === 1 ? "" : `${processes} (${[...levels].join(", ")})`;
}

/**
 * A title and its table; nothing without rows. A column that is empty in every
 * row is left out, so that what does not vary takes no room.
 */
export function titledTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: SummaryOptions,
): string[] {
  if (rows.length === 0) return [];
  const isShown = head.map((_, column) => rows.some((row) => row[column] !== ""));
  // Before it is drawn: what stands for a character can be longer than the character.
  const shown = (row: readonly string[]): string[] =>
    row
      .filter((_, column) => isShown[column])
      .map((text) => (options.unicode ? text : toAscii(text)));
  return [title, drawTable(shown(head), rows.map(shown), options)];
}
