import { describe, expect, it } from "vitest";
import { gateCommentMarker, renderGateMarkdown } from "../src/gate/gate-markdown.js";
import type { GateReport } from "../src/gate/gate-report.js";
import { renderGate } from "../src/gate/gate-summary.js";
import { gateWork } from "../src/gate/gate-work.js";
import type { GateOutcome } from "../src/gate/run-gate.js";
import { judgeMetrics } from "../src/gate/verdict.js";

const asyncTime = "generateStreamAsync, time per token";

function outcome(change: number, rest: Partial<GateOutcome> = {}): GateOutcome {
  const logRatios = Array.from({ length: 8 }, (_, pair) =>
    Array.from({ length: 6 }, (__, block) => Math.log1p(change) + ((pair + block) % 3) / 1000),
  );
  const [judged] = judgeMetrics([{ metric: asyncTime, logRatios }], 0.05);
  return {
    verdict: judged!.verdict,
    threshold: 0.05,
    work: gateWork("paced", { seed: 1, stepMicroseconds: 100 }),
    seed: 1,
    slowdown: 0,
    pairs: 8,
    interrupted: false,
    outputsDiffer: false,
    seconds: 20,
    metrics: [
      { ...judged!, logRatios, baseMicroseconds: 125, headMicroseconds: 125 * (1 + change) },
    ],
    ...rest,
  };
}

function report(change: number, name = "main", rest?: Partial<GateOutcome>): GateReport {
  return {
    schema: "streamgauge/gate",
    version: 1,
    base: { name, commit: "0123456789abcdef0123456789abcdef01234567" },
    head: { name: ".", commit: null },
    outcome: outcome(change, rest),
  };
}

describe("a gate for a terminal", () => {
  it("shows times, rates, the change with its interval, and the verdict", () => {
    const text = renderGate(report(0.1), { unicode: true });
    for (const part of [
      "base main (012345678), head .",
      asyncTime,
      "125.0",
      "137.5",
      "8000 → 7273",
      "+10.1 %",
      "REGRESSION",
      "48 blocks in 8 pairs of processes on the paced engine at 100 µs per token",
    ]) {
      expect(text).toContain(part);
    }
    expect(renderGate(report(0), { unicode: true })).toContain("No regression:");
  });

  it("says the commit once where that is all that was named", () => {
    const whole = "0123456789abcdef0123456789abcdef01234567";
    expect(renderGate(report(0, whole), { unicode: true })).toContain("base 012345678, head .");
  });

  it("is ASCII where it has to be", () => {
    const text = renderGate(report(0.1), { unicode: false });
    expect(text).toMatch(/^[\n -~]*$/);
    // Columns stay below each other, though "→" becomes two characters.
    const widths = text.split("\n").filter((line) => /^[|+-].*[|+-]$/.test(line));
    expect(new Set(widths.map(({ length }) => length)).size).toBe(1);
  });

  it("says what is to be known about it", () => {
    const text = renderGate(
      report(0.1, "main", { slowdown: 0.1, outputsDiffer: true, interrupted: true }),
      { unicode: true },
    );
    expect(text).toContain("slowed by 10.0 % on purpose");
    expect(text).toContain("different tokens");
    expect(text).toContain("interrupted");
  });
});

describe("a gate as Markdown", () => {
  it("begins with the marker of its comment, and is a table", () => {
    const text = renderGateMarkdown(report(0.1));
    expect(text.split("\n")[0]).toBe(gateCommentMarker);
    expect(text).toContain(`| ${asyncTime} | 125.0 | 137.5 | 8000 → 7273 | +10.1 % |`);
    expect(text).toContain("| REGRESSION |");
  });

  it("lets no name become markup, a mention, a link or a row", () => {
    const name = "<img src=x>|`*_[a](//b) @you #1 https://c www.d.e --> \n\n| x |";
    const line = renderGateMarkdown(report(0, name))
      .split("\n")
      .find((each) => each.startsWith("base "));
    expect(line).toMatch(/^[\p{L}\p{N} .,;%+−–→()&#]*$/u);
    expect(line).toContain("head");
    expect(line?.replaceAll(/&#\d+;/g, "")).not.toMatch(/[#&]|www\./);
  });
});
