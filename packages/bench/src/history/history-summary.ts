import { terminalText } from "../terminal/terminal-text.js";
import { sparkline } from "./sparkline.js";
import type { Trend } from "./trends.js";

/** The trends of one class of machines, for a terminal. */
export function renderHistory(
  machine: string,
  trends: readonly Trend[],
  { unicode }: { readonly unicode: boolean },
): string {
  const commits = Math.max(0, ...trends.map(({ points }) => points.length));
  const width = Math.max(0, ...trends.map(({ metric }) => metric.length));
  const lines = trends.flatMap(({ metric, points, changes }) => {
    const values = points.map(({ value }) => value);
    const last = values.at(-1);
    const line = `  ${metric.padEnd(width)}  ${sparkline(values, { unicode })}  ${last === undefined ? "–" : show(last)}`;
    return [line, ...changes.map((change) => `    ${describe(change)}`)];
  });
  // The sparkline is ASCII already where it has to be.
  const text = [`${machine}: ${commits} commit${commits === 1 ? "" : "s"}`, ...lines].join("\n");
  return `${terminalText(text, { unicode })}\n`;
}

function describe({ commit, before, after, significance }: Trend["changes"][number]): string {
  // A share of a number near 0, or of one that changes sign, says nothing.
  const share =
    before > 0 && after > 0
      ? ` (${after > before ? "+" : "−"}${(Math.abs(after / before - 1) * 100).toFixed(1)} %)`
      : "";
  return `changed at ${commit.slice(0, 9)}: ${show(before)} → ${show(after)}${share}, p = ${significance.toFixed(3)}`;
}

function show(value: number): string {
  return String(Number(value.toPrecision(4)));
}
