import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  readRawSamples,
  verifyRecord,
  type BenchOptions,
  type RawBlock,
  type ResultRecord,
} from "@streamgauge/bench";
import { readRecordFile } from "@streamgauge/bench/record-file";
import { expect } from "vitest";
import { moduleUrl } from "./processes.js";

/** Gives a folder, and takes it away. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-fleet-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run of the tiny scenario in eight processes. */
export const tinyRun: Pick<BenchOptions, "preset" | "scenarios" | "modules" | "seed" | "claims"> = {
  preset: "standard",
  scenarios: ["tiny"],
  modules: [moduleUrl("tiny.bench.mjs")],
  seed: 7,
  claims: [],
};

/** The processes of a standard run, up to its first look. */
export const eight: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** The blocks of each cell, as the raw samples of a record say, by the cell's id. */
export async function rawBlocksOf(
  { cells }: ResultRecord,
  folder: string,
): Promise<Readonly<Record<string, readonly RawBlock[]>>> {
  const entries = cells.map(async ({ id, rawSamples }) => {
    const bytes = await readFile(join(folder, rawSamples?.file ?? ""));
    return [id, (await readRawSamples(bytes)).blocks] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * A record is whole: every process measured every cell once, by one machine; what it concludes follows
 * from its raw samples.
 */
export async function expectWhole(folder: string): Promise<ResultRecord> {
  const record = await readRecordFile(folder);
  expect(record.status).toBe("complete");
  for (const cell of record.cells) {
    expect(cell.processes.map(({ process }) => process)).toEqual(eight);
    expect(cell.blocks).toHaveLength(8 * 8);
    expect(cell.plannedBlocks).toBe(8 * 8);
  }
  const measured = (record.machines ?? []).flatMap(({ processes }) => processes);
  expect(measured.toSorted((one, other) => one - other)).toEqual(eight);
  const read = (file: string): Promise<Uint8Array> => readFile(join(folder, file));
  const { outcome, problems } = await verifyRecord(record, read);
  expect(problems).toEqual([]);
  expect(outcome).toBe("agrees");
  return record;
}
