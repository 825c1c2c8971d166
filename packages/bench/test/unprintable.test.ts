// What a terminal obeys, in strings that somebody else chose: it must not reach a terminal.
import { describe, expect, it } from "vitest";
import { renderVerification } from "../src/commands/verify-command.js";
import { renderGateMarkdown } from "../src/gate/gate-markdown.js";
import { renderGate } from "../src/gate/gate-summary.js";
import type { GateReport } from "../src/gate/gate-report.js";
import { renderHistory } from "../src/history/history-summary.js";
import { printable, printableJson } from "@streamgauge/core";
import type { ResultRecord } from "../src/record/index.js";
import { renderSummary } from "../src/terminal/summary.js";
import { linesOn } from "../src/terminal/progress-display.js";
import { exampleRecord } from "./example-record.js";

/** ESC c resets a terminal; DCS, OSC and CSI, as ESC and as C1; marks of direction; half a pair. */
const hostile =
  "a\u001Bc\u001BPq\u001B\\\u001B]0;t\u0007\u009B31m\u0090q\u009C\u202Eb\u2066\u200F\u061C\u007F\uD800\rz";
const obeyed = /(?![\n])[\p{Cc}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

async function hostileRecord(): Promise<ResultRecord> {
  const record = await exampleRecord();
  return {
    ...record,
    runId: hostile,
    profile: hostile,
    environment: { ...record.environment, advice: [hostile] },
    failedMeasurements: [{ id: hostile, code: "ENGINE_FAILED", message: hostile }],
    cells: record.cells.map((cell) => ({
      ...cell,
      id: hostile,
      model: hostile,
      generator: hostile,
      host: hostile,
    })),
    claims: record.claims.map((claim) => ({ ...claim, cell: hostile, reasons: [hostile] })),
  };
}

describe("text from outside", () => {
  it("is shown by U+FFFD where it cannot be shown", () => {
    expect(printable("a\u001Bc\tb\r\n\u009B\u202E\uD800\u{1F40B}")).toBe(
      "a\uFFFDc\tb\r\n\uFFFD\uFFFD\uFFFD\u{1F40B}",
    );
    expect(printableJson('"\u007F\u009B\u202E"')).toBe(String.raw`"\u007f\u009b\u202e"`);
  });

  it("cannot command the terminal that shows a summary, colored or not", async () => {
    const made = await hostileRecord();
    const claims = made.claims.map((claim) => ({ ...claim, verdict: "refuted" as const }));
    const record = { ...made, claims };
    const options = { unicode: true, color: false, recordPath: hostile };
    const plain = renderSummary(record, options);
    expect(plain).not.toMatch(obeyed);
    expect(plain).toContain("a\uFFFDc\uFFFDPq\uFFFD\\");
    const colored = renderSummary(record, { ...options, color: true });
    expect(colored).toContain("\u001B[31mrefuted\u001B[39m");
    // oxlint-disable-next-line no-control-regex
    expect(colored.replaceAll(/\u001B\[3\dm(upheld|refuted)\u001B\[39m/g, "$1")).not.toMatch(
      obeyed,
    );
  });

  it("cannot command it through verify, a gate, a history or progress", async () => {
    const verification = {
      cells: [
        {
          cell: hostile,
          file: hostile,
          hash: "differs",
          blocks: "agrees",
          blockCount: 1,
          distributions: "agrees",
          analysis: "agrees",
          verdicts: "agrees",
          problems: [hostile],
        },
      ],
      claims: "unchecked",
      plan: "unchecked",
      transports: "unchecked",
      engine: "unchecked",
      profiles: "unchecked",
      others: "unchecked",
      notes: [hostile],
      outcome: "differs",
      problems: [hostile],
    } as const;
    const options = { unicode: true, recordPath: hostile };
    expect(renderVerification(await hostileRecord(), verification, options)).not.toMatch(obeyed);

    const gate = {
      schema: "streamgauge/gate",
      version: 1,
      base: { name: hostile, commit: null },
      head: { name: hostile, commit: hostile },
      outcome: {
        verdict: "none",
        threshold: 0.05,
        work: { engine: hostile, model: hostile },
        metrics: [],
        pairs: 8,
        seed: 1,
        seconds: 1,
        slowdown: 0,
        interrupted: false,
        outputsDiffer: false,
      },
    } as unknown as GateReport;
    expect(renderGate(gate, { unicode: true })).not.toMatch(obeyed);
    const markdown = renderGateMarkdown(gate);
    expect(markdown).not.toMatch(obeyed);
    expect(markdown).not.toMatch(/&#(27|155|8238|127);/);

    const trend = { metric: hostile, points: [{ commit: "0", value: 1 }], changes: [] };
    expect(renderHistory(hostile, [trend], { unicode: true })).not.toMatch(obeyed);

    const written: string[] = [];
    const display = linesOn(
      { write: (text: unknown) => written.push(String(text)) > 0 },
      () => 0,
      () => hostile,
    );
    display.update({ subject: hostile, fractionDone: 0.5 });
    expect(written.join("")).not.toMatch(obeyed);
  });
});
