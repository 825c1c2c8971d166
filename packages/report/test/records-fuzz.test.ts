// Records that no bench wrote. What parseRecord lets through, every renderer has to take.
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { parseRecord, type ResultRecord } from "@streamgauge/bench/record";
import {
  exportFormats,
  renderBenchmarks,
  renderChangelogSnippet,
  renderChangeset,
  renderHtmlReport,
} from "@streamgauge/report";
import { expectShowable, outcomeOf } from "../../core/test/fuzz-outcome.js";
import { asParsed, changedDocument, fuzzParameters } from "../../core/test/hostile-input.js";
import { exportableRecord, filesOf } from "./exported.js";

let record: ResultRecord;
beforeAll(async () => {
  record = shortened(await exportableRecord());
});

/** With few runs of each kind: most places of a record are times, and change nothing. */
function shortened(whole: ResultRecord): ResultRecord {
  return {
    ...whole,
    cells: whole.cells.map((cell) => ({ ...cell, blocks: cell.blocks.slice(0, 2) })),
  };
}

async function renderAll(given: ResultRecord, draw: number): Promise<void> {
  expectShowable(renderBenchmarks(given));
  expectShowable(renderChangelogSnippet(given));
  expectShowable(renderChangelogSnippet(given, record));
  expectShowable(renderChangeset(given));
  // One after the other over the cases: most of the time goes into a few of them.
  const format = exportFormats[draw % exportFormats.length]!;
  const files = await filesOf(format, given);
  for (const { content } of files) if (typeof content === "string") expectShowable(content);
  // Its charts take half a second.
  if (draw % 30 === 0) expectShowable(await renderHtmlReport(given));
}

it("renders whatever is a record, and refuses what is none", async () => {
  const outcomes: Record<string, number> = {};
  const cases = fc.tuple(changedDocument(record).map(asParsed), fc.nat(1000));
  await fc.assert(
    fc.asyncProperty(cases, async ([given, draw]) => {
      const outcome = await outcomeOf(
        () => renderAll(parseRecord(given), draw),
        ["INVALID_RECORD"],
      );
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }),
    fuzzParameters(1902),
  );
  expect(Object.keys(outcomes).toSorted()).toEqual(["INVALID_RECORD", "done"]);
}, 1_800_000);
