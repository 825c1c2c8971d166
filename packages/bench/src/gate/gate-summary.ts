import { drawTable, toAscii } from "../terminal-text.js";
import { gateColumns, gateHeadline, gateNotes, gateRows, type GateReport } from "./gate-report.js";

/** A gate for a terminal. */
export function renderGate(report: GateReport, { unicode }: { readonly unicode: boolean }): string {
  const text = [
    `base ${describe(report.base)}, head ${describe(report.head)}`,
    drawTable(gateColumns, gateRows(report), { unicode }),
    gateHeadline(report),
    ...gateNotes(report),
  ].join("\n");
  return `\n${unicode ? text : toAscii(text)}\n`;
}

function describe({ name, commit }: GateReport["base"]): string {
  return commit === null ? name : `${name} (${commit.slice(0, 9)})`;
}
