import { describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { renderBenchmarks } from "@streamgauge/report";
import { everything, fixtureRecord } from "./fixture.js";

const hostile = "a|b\n# c `d` <img src=x> *e* [f](g) \\";

describe("renderBenchmarks", () => {
  it("renders the fixture as the snapshot", async () => {
    const record = await fixtureRecord();
    await expect(renderBenchmarks(record)).toMatchFileSnapshot("fixtures/benchmarks.md.snap");
    await expect(everything(record)).toMatchFileSnapshot("fixtures/pages.md.snap");
  });

  it("depends on the record alone", async () => {
    const record = await fixtureRecord();
    const copy = JSON.parse(JSON.stringify(record)) as ResultRecord;
    expect(renderBenchmarks(copy)).toBe(renderBenchmarks(record));
  });

  it("prints every definition once", async () => {
    const record = await fixtureRecord();
    const text = everything(record);
    for (const { metric } of record.definitions) {
      expect(text.split(`**${metric}**`)).toHaveLength(2);
    }
  });

  it("repeats verdicts, whatever they are, and gives the reasons", async () => {
    const record = await fixtureRecord();
    const claims = record.claims.map((claim) => ({
      ...claim,
      verdict: "void" as const,
      reasons: ["Noise: for a reason."],
    }));
    const text = everything({ ...record, claims });
    expect(text.match(/\| void \|/g)).toHaveLength(claims.length);
    expect(text).toContain("- pequod-pooled-10, sync stream: void. Noise: for a reason.");
  });

  it("shows what the bench made of known delays, where there are any", async () => {
    const record = await fixtureRecord();
    const overhead = record.cells[0]?.analysis?.comparisons[1]?.overhead;
    const point = {
      cell: "a",
      treatment: "stream" as const,
      injectedFraction: 0.03,
      overhead: overhead!,
      net: overhead!,
      recovered: false,
      limit: 0.05,
      blocksPerExperiment: 12,
      verdicts: { upheld: 9, refuted: 1, inconclusive: 3, void: 2 },
    };
    const text = everything({ ...record, profile: "calibration", calibration: [point] });
    expect(text).toContain("## Calibration: known delays");
    expect(text).toMatch(/\| 3\.0 % \| sync stream \|.*\| no \| 9 \| 1 \| 3 \| 2 \|/);
    expect(renderBenchmarks({ ...record, profile: "calibration", calibration: [point] })).toContain(
      "pnpm streamgauge calibrate --seed",
    );
    expect(everything(record)).not.toContain("Calibration");
  });

  it("has a table of its own for claims on the absolute cost", async () => {
    const record = await fixtureRecord();
    const [claim] = record.claims;
    const onCost = {
      ...claim!,
      metric: "absoluteCost" as const,
      limit: 40,
      control: { margin: 10, equivalent: true },
      breakEvenMicrosecondsPerToken: null,
      verdict: "refuted" as const,
      reasons: ["Far above."],
    };
    const text = everything({ ...record, claims: [onCost, ...record.claims] });
    const [, section = ""] = text.split("## Verdicts on the absolute cost\n");
    expect(section).toMatch(
      /^\n\| model \|.*\n.*\n\|.*\| sync stream \|.*\| &lt; 40 \| refuted \|\n/,
    );
    expect(section).toContain("pequod-pooled-10, sync stream: refuted. Far above.");
    expect(text).toContain("± 10 µs per token: no difference shown; ± ");
    // What else the document says of the other claims stays the same.
    expect(breakEvens(text)).toEqual(breakEvens(everything(record)));
  });

  it("names the raw samples where there are any", async () => {
    const record = await fixtureRecord();
    expect(everything(record)).not.toContain("Raw samples");
    const sha256 = "0".repeat(64);
    const [first, ...rest] = record.cells;
    const named = { ...first!, rawSamples: { file: "raw/x.bin.gz", byteLength: 7, sha256 } };
    const text = everything({ ...record, cells: [named, ...rest] });
    expect(text).toContain(`| pequod-pooled-10 | raw/x.bin.gz | 7 | ${sha256} |`);
    expect(text).toContain("streamgauge verify");
  });

  it("renders a run with nothing in it, and failed cells", async () => {
    const record = await fixtureRecord();
    const empty = { ...record, cells: [], claims: [], mainThread: [], generators: [] };
    expect(renderBenchmarks(empty)).toContain("## Machine");
    expect(everything(empty)).toContain("## Machine and versions");
    const failed = record.cells.map((cell) => ({
      ...cell,
      analysis: null,
      distributions: [],
      failure: { code: "ENGINE_FAILED", message: "It broke." },
    }));
    const text = renderBenchmarks({ ...record, cells: failed });
    expect(text).toContain("- Failed: pequod-pooled-10. ENGINE\\_FAILED: It broke.");
  });

  it("lets no name become markup or break a table", async () => {
    const record = await fixtureRecord();
    const hostileRecord = {
      ...record,
      profile: hostile,
      environment: { ...record.environment, cpuModel: hostile, advice: [hostile] },
      cells: record.cells.map((cell) => ({ ...cell, id: hostile, model: hostile, host: hostile })),
      claims: record.claims.map((claim) => ({ ...claim, cell: hostile, reasons: [hostile] })),
    };
    const text = renderBenchmarks(hostileRecord) + everything(hostileRecord);
    const lines = text.split("\n");
    // An indented code block shows everything as it is.
    const markup = lines.filter((line) => !line.startsWith("    ")).join("\n");
    expect(markup).not.toContain("<img");
    expect(markup).not.toMatch(/^# c|(?<!\\)`d/m);
    const broken = lines.filter((line, index) => {
      const above = lines[index - 1] ?? "";
      return line.startsWith("|") && above.startsWith("|") && columns(line) !== columns(above);
    });
    expect(broken).toEqual([]);
    expect(text).toContain("--profile 'a|b # c `d`");
  });
});

function breakEvens(text: string): string | undefined {
  return text.split("## Absolute cost\n")[1]?.split("## ")[0];
}

/** Cells of a table's line; a bar after an odd number of backslashes is text. */
function columns(line: string): number {
  return line.replaceAll(/\\./g, "").split("|").length;
}
