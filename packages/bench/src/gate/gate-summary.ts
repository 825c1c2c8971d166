import { drawTable, terminalText } from "../terminal/terminal-text.js";
import {
  describeVersion,
  gateColumns,
  gateHeadline,
  gateNotes,
  gateRows,
  type GateReport,
} from "./gate-report.js";

/** A gate for a terminal. */
export function renderGate(report: GateReport, { unicode }: { readonly unicode: boolean }): string {
  const text = [
    `base ${describeVersion(report.base)}, head ${describeVersion(report.head)}`,
    drawTable(gateColumns, gateRows(report), { unicode }),
    gateHeadline(report),
    ...gateNotes(report),
  ].join("\n");
  return `\n${terminalText(text, { unicode })}\n`;
}
