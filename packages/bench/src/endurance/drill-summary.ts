import { drawTable, terminalText } from "../terminal/terminal-text.js";
import type { StreamOutcome } from "./drill-part.js";
import type { DrillReport } from "./drill.js";

/** Violations of one check that are shown one by one. */
const mostShown = 10;

/** A drill for a terminal: faults by kind, what became of them, and the checks. */
export function renderDrill(report: DrillReport, options: { readonly unicode: boolean }): string {
  const streams = report.parts.flatMap((part) => part.streams);
  const kinds = [...new Set(streams.map(({ stream }) => stream.fault?.kind))];
  const rows = kinds
    .map((kind) => {
      const ofKind = streams.filter(({ stream }) => stream.fault?.kind === kind);
      const wrong = ofKind.filter(({ violation }) => violation !== undefined).length;
      return [kind ?? "none", String(ofKind.length), tally(ofKind), String(wrong)];
    })
    .toSorted(([, first], [, second]) => Number(second) - Number(first));
  const checks = report.checks.map(({ name, found, violations }) => [
    violations.length === 0 ? "yes" : "NO",
    name,
    found,
  ]);
  const faults = streams.filter(({ stream }) => stream.fault !== undefined).length;
  const lines = [
    `${faults} faults among ${streams.length} streams, seed ${report.seed}`,
    drawTable(["fault", "streams", "ended for the consumer as", "wrong"], rows, options),
    drawTable(["holds", "check", "found"], checks, options),
    ...report.checks.flatMap(({ violations }) => listViolations(violations)),
  ];
  const text = lines.join("\n");
  return `${terminalText(text, options)}\n`;
}

/** Whether all checks hold. */
export function holds(report: DrillReport): boolean {
  return report.checks.every(({ violations }) => violations.length === 0);
}

function tally(outcomes: readonly StreamOutcome[]): string {
  const counts = new Map<string, number>();
  for (const { endedAs = "not at all" } of outcomes) {
    counts.set(endedAs, (counts.get(endedAs) ?? 0) + 1);
  }
  return [...counts].map(([end, count]) => `${end} ${count}`).join(", ");
}

function listViolations(violations: readonly string[]): string[] {
  const more = violations.length - mostShown;
  return [
    ...violations.slice(0, mostShown).map((violation) => `! ${violation}`),
    ...(more > 0 ? [`! and ${more} more`] : []),
  ];
}
