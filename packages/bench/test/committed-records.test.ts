import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { analyze, groupByProcess } from "../src/conclude/analysis.js";
import { tokensOf } from "../src/conclude/derivation.js";
import { fewestProcesses } from "../src/statistics/index.js";
import { locateRecordFile, readRecordFile } from "../src/run/read-record.js";
import type { Block, Cell, Estimates } from "../src/record/index.js";
import { contains } from "./simulation.js";

/*
 * The committed records taken apart: what each process alone says of the cost, against
 * what all the others say. An interval within one process cannot know what processes
 * differ by; this shows how much that matters on a real machine.
 */

const results = fileURLToPath(new URL("../../../results/", import.meta.url));
const folders = (await readdir(results, { withFileTypes: true })).filter((entry) =>
  entry.isDirectory(),
);

const table: Record<string, Record<string, string>> = {};

afterAll(() => {
  console.log("Single processes whose interval covers what the others say, percent (HL / mean)");
  console.table(table);
});

function costOf(
  blocks: readonly Block[],
  cell: Cell,
  treatment: "stream" | "streamAsync",
): Estimates | undefined {
  return analyze(blocks, tokensOf(cell))?.comparisons.find(
    (comparison) => comparison.treatment === treatment,
  )?.costMicrosecondsPerToken;
}

interface Share {
  processes: number;
  hodgesLehmann: number;
  mean: number;
}

/** Counts the processes of a cell that cover the others. */
function takeApart(cell: Cell, treatment: "stream" | "streamAsync", share: Share): void {
  const processes = groupByProcess(cell.blocks);
  for (const part of processes) {
    const own = costOf(part, cell, treatment);
    const rest = costOf(processes.filter((other) => other !== part).flat(), cell, treatment);
    if (own === undefined || rest === undefined) continue;
    share.processes += 1;
    if (contains(own.hodgesLehmann, rest.hodgesLehmann.value)) share.hodgesLehmann += 1;
    if (contains(own.mean, rest.mean.value)) share.mean += 1;
  }
}

describe.each(folders.map(({ name }) => name))("the record %s, taken apart", (name) => {
  it("has single processes whose intervals cover what the others say, in nine of ten", async ({
    skip,
  }) => {
    const path = await locateRecordFile(results + name);
    const record = await readRecordFile(path).catch(() => undefined);
    const cells = (record?.cells ?? []).filter(
      ({ blocks }) => groupByProcess(blocks).length >= fewestProcesses,
    );
    if (cells.length === 0) skip("It has no cell of enough processes.");
    for (const treatment of ["stream", "streamAsync"] as const) {
      const all: Share = { processes: 0, hodgesLehmann: 0, mean: 0 };
      for (const scenario of new Set(cells.map((cell) => cell.scenario))) {
        const share: Share = { processes: 0, hodgesLehmann: 0, mean: 0 };
        for (const cell of cells) {
          if (cell.scenario === scenario) takeApart(cell, treatment, share);
        }
        const percent = (count: number): string =>
          ((count / Math.max(1, share.processes)) * 100).toFixed(0);
        (table[`${name}, ${scenario}`] ??= {})[treatment] =
          `${percent(share.hodgesLehmann)} / ${percent(share.mean)} of ${share.processes}`;
        all.processes += share.processes;
        all.hodgesLehmann += share.hodgesLehmann;
        all.mean += share.mean;
      }
      if (all.processes === 0) continue;
      expect(all.hodgesLehmann / all.processes).toBeGreaterThanOrEqual(0.9);
      expect(all.mean / all.processes).toBeGreaterThanOrEqual(0.9);
    }
  }, 180_000);
});
