import { createColors } from "picocolors";
import {
  answerSentences,
  answerTable,
  answerTitle,
  type AnswerRoom,
  type AnswerSentence,
  type NextStep,
  type RunSummary,
} from "../summary/index.js";
import { showValue } from "./show-value.js";
import { terminalText } from "./terminal-text.js";

/** What the terminal can show. */
export interface AnswerOptions {
  readonly color: boolean;
  /** Without it the text is plain ASCII. */
  readonly unicode: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Lines of a terminal, counting those that a long command is broken into. */
export const mostAnswerLines = 12;

/**
 * A summary in at most {@link mostAnswerLines} lines of a terminal. Sentences that there
 * is no room for are cut or counted; commands are whole, so that they can be copied.
 */
export function answerLines(summary: RunSummary, options: AnswerOptions): string[] {
  const shown = (text: string): string => terminalText(text.replaceAll("\n", " "), options);
  const { width } = options;
  const head = [titleLine(summary, options), ...tableLines(summary, options)];
  const tail = [
    ...(summary.next === null ? [] : [nextLine(summary.next, options)]),
    ...(summary.pageCommand === null ? [] : [`Page: ${shown(summary.pageCommand)}`]),
  ];
  const used = [...head, ...tail].reduce((sum, line) => sum + rowsOf(line, width), 0);
  const sentences = withinLines(answerSentences(summary), mostAnswerLines - used);
  const middle = sentences.map((sentence) => sentenceLine(sentence, shown, options));
  return [...head, ...middle, ...tail];
}

/** As many parts as there is room for. */
function titleLine(summary: RunSummary, options: AnswerOptions): string {
  const title = answerTitle(summary).map((part) => terminalText(part, options));
  const lines = title.map((_, left) => title.slice(0, title.length - left).join(", "));
  return lines.find(({ length }) => length <= options.width) ?? cut(title[0] ?? "", options.width);
}

/** What for, where there is room for it. */
function nextLine({ kind, why, command }: NextStep, options: AnswerOptions): string {
  const shown = terminalText(command, options);
  if (kind === "resume") return `Resume: ${shown}`;
  const whole = `Next, ${why}: ${shown}`;
  return whole.length <= options.width ? whole : `Next: ${shown}`;
}

function rowsOf(line: string, width: number): number {
  return Math.max(1, Math.ceil(line.length / width));
}

/** One table where it fits, and otherwise the costs above the times. */
function tableLines(summary: RunSummary, options: AnswerOptions): string[] {
  const aligned = (room: AnswerRoom): string[][] => cellsOf(summary, room, options);
  for (const room of ["everything", "one interval"] as const) {
    const lines = alignedLines(aligned(room));
    if (lines.every(({ length }) => length <= options.width)) return lines;
  }
  const rows = aligned("one interval");
  const part = (from: number, to: number): string[] =>
    alignedLines(rows.map(([mode = "", ...values]) => [mode, ...values.slice(from, to)]));
  return [...part(0, 3), ...part(3, 5)];
}

function cellsOf(summary: RunSummary, room: AnswerRoom, options: AnswerOptions): string[][] {
  const table = answerTable(summary, room);
  if (table === null) return [];
  const heads = table.columns.map(({ head }, index) => (index === 0 ? "" : head));
  return [
    heads,
    ...table.rows.map(({ values }) => values.map((value) => showValue(value, false))),
  ].map((cells) => cells.map((cell) => terminalText(cell, options)));
}

/** Rows of cells as lines, each column as wide as its widest cell. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** The first ones, and in the last line how many claims the others are about. */
function withinLines(sentences: readonly AnswerSentence[], most: number): AnswerSentence[] {
  if (sentences.length <= most) return [...sentences];
  const kept = sentences.slice(0, Math.max(0, most - 1));
  const others = sentences.slice(kept.length).filter(({ kind }) => kind !== "tables");
  const [only] = others;
  if (only !== undefined && others.length === 1) return [...kept, only];
  const items = others.map(({ label, items: each }) => `${label.toLowerCase()}: ${each.length}`);
  return most < 1 ? kept : [...kept, { kind: "tables", label: "More on the page", items }];
}

function sentenceLine(
  { kind, label, items }: AnswerSentence,
  shown: (text: string) => string,
  { color, width }: AnswerOptions,
): string {
  const name = shown(label);
  const text = fitted(items.map(shown), width - name.length - 2);
  return `${coloredLabel(kind, name, color)}: ${text}`;
}

/** As many as there is room for, and how many more there are. */
function fitted(items: readonly string[], room: number): string {
  for (let count = items.length; count > 0; count -= 1) {
    const left = items.length - count;
    const text = items.slice(0, count).join("; ") + (left === 0 ? "" : `; ${left} more`);
    if (text.length <= room) return text;
  }
  const more = items.length === 1 ? "" : `; ${items.length - 1} more`;
  return cut(items[0] ?? "", room - more.length) + more;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 3))}...`;
}

function coloredLabel(kind: AnswerSentence["kind"], label: string, color: boolean): string {
  const colors = createColors(color);
  switch (kind) {
    case "failed":
    case "refuted":
      return colors.red(label);
    case "inconclusive":
    case "void":
      return colors.yellow(label);
    case "upheld":
      return colors.green(label);
    default:
      return label;
  }
}
