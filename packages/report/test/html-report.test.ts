import { describe, expect, it } from "vitest";
import { committedRecord } from "../../../scripts/committed-record.js";
import type { ResultRecord } from "@streamgauge/bench/record";
import { answerSentences, summarize } from "@streamgauge/bench/summary";
import { readRecord, renderHtmlReport } from "@streamgauge/report";
import { escapeXml } from "../src/text/html-text.js";
import { fixtureRecord } from "./fixture.js";
import { hostileRecord } from "./hostile-record.js";
import { wholeRecord } from "./whole-record.js";

const { folder: committed } = await committedRecord();

describe("renderHtmlReport", () => {
  it("is one file that asks nothing of a network, verdicts first", async () => {
    const page = await renderHtmlReport(await wholeRecord());
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/\b(?:src|href)="(?!#|data:,)/);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page.indexOf('id="verdicts"')).toBeLessThan(page.indexOf('id="charts"'));
    expect(page.indexOf('id="charts"')).toBeLessThan(page.indexOf('id="runs"'));
  });

  it("opens with the machine and with what the terminal says", async () => {
    const record = await wholeRecord();
    const page = await renderHtmlReport(record);
    const { cpuModel, nodeVersion } = record.environment;
    expect(page.indexOf(cpuModel)).toBeLessThan(page.indexOf('id="answer"'));
    expect(page).toContain(`Node ${nodeVersion}`);
    expect(page.indexOf('id="answer"')).toBeLessThan(page.indexOf('id="verdicts"'));
    const summary = summarize(record);
    for (const { label, items, kind } of answerSentences(summary)) {
      if (kind === "tables") continue;
      expect(page).toContain(`>${label}</dt>`);
      for (const item of items) expect(page).toContain(`<dd>${escapeXml(item)}</dd>`);
    }
    expect(page).toContain("of a 20 ms model");
  });

  it("depends on the record alone", async () => {
    expect(await renderHtmlReport(await wholeRecord())).toBe(
      await renderHtmlReport(await wholeRecord()),
    );
  });

  it("keeps every run of a small record, and says where it has not room for all", async () => {
    const record = await fixtureRecord();
    expect(await renderHtmlReport(record)).not.toContain("At most");
    const [cell] = record.cells;
    const blocks = Array.from({ length: 7000 }, (_, index) => ({ ...cell!.blocks[0]!, index }));
    const page = await renderHtmlReport({ ...record, cells: [{ ...cell!, blocks }] });
    expect(page).toContain("At most 6000 blocks of each cell");
    const [, json] = /<script type="application\/json" id="blocks">(.*?)<\/script>/s.exec(page)!;
    const { cells } = JSON.parse(json!) as { cells: { rows: unknown[] }[] };
    expect(cells[0]!.rows).toHaveLength(6000 * 4);
    expect(page.length).toBeLessThan(3e6);
  });

  it("shows less of each of many cells, and says so", { timeout: 60_000 }, async () => {
    const { record } = await readRecord(committed);
    expect(await renderHtmlReport(record)).not.toContain("kept below 3 MB");
    const copies = Array.from({ length: Math.ceil(120 / record.cells.length) }, (_, copy) => copy);
    const named = (id: string, copy: number): string => `${id}, copy ${copy}`;
    const large: ResultRecord = {
      ...record,
      cells: copies.flatMap((copy) =>
        record.cells.map((cell) => ({ ...cell, id: named(cell.id, copy) })),
      ),
      claims: copies.flatMap((copy) =>
        record.claims.map((claim) => ({ ...claim, cell: named(claim.cell, copy) })),
      ),
    };
    expect(large.cells.length).toBeGreaterThanOrEqual(119);
    const page = await renderHtmlReport(large);
    expect(Buffer.byteLength(page)).toBeLessThan(3e6);
    expect(page).toMatch(/this page stays below 3 MB: [^.]+\. The record has everything\./);
    expect(page.match(/<section class="cell"/g)).toHaveLength(large.cells.length);
  });

  it("says what choosing a scenario does not change", async () => {
    expect(await renderHtmlReport(await fixtureRecord())).toContain(
      "The charts above show all scenarios",
    );
  });

  it("leaves nothing of a record's strings but text", async () => {
    const page = await renderHtmlReport(await hostileRecord());
    expect(page.match(/<script\b/g)).toHaveLength(2);
    expect(page).not.toMatch(/<img\b/);
    // oxlint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/);
    expect(page).toContain("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;");
    expect(page).toContain(String.raw`\u003cscript>`);
  });

  it("has a page for a record without a cell", async () => {
    const page = await renderHtmlReport({ ...(await fixtureRecord()), cells: [], claims: [] });
    expect(page).toContain("No claim was made about this run.");
  });
});
