import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyze } from "../src/conclude/analysis.js";
import { readClaims, shippedClaimsFile } from "../src/conclude/claims-file.js";
import { judgeClaims } from "../src/conclude/claims.js";
import { identityOf, type ResultRecord } from "../src/record/index.js";
import { measurementDefinitions } from "../src/record/measurements.js";
import { promiseOf } from "../src/record/promise-of.js";
import { runBench } from "../src/run/run-bench.js";
import type { CellPlan } from "../src/plan/stage.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { cellPlan, presetOf } from "./plans.js";

/** The record, with a plan of just what is in it. */
export function replanned(record: ResultRecord): ResultRecord {
  const { cells, transports = [], engine = [] } = record;
  const fields = Object.keys(measurementDefinitions) as (keyof typeof measurementDefinitions)[];
  const added = fields.flatMap((field) =>
    (record[field] ?? []).map((_, index) => ({ id: `${field} ${index}`, entries: { [field]: 1 } })),
  );
  const promised = { transports, engine };
  const measurements = added.map(({ id }) => {
    const [field, index] = id.split(" ") as [string, string];
    const claims = promised[field as keyof typeof promised]?.[Number(index)]?.claims ?? [];
    return { id, promises: claims.map(promiseOf) };
  });
  return {
    ...record,
    plan: {
      ...record.plan,
      measured: added.map(({ id }) => id),
      cells: cells.map((cell) => ({
        ...identityOf(cell),
        blocks: cell.plannedBlocks,
        processes: cell.processes.length,
      })),
      measurements,
      added,
    },
  };
}

/** Gives a test a folder and removes it afterwards. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A whole run over a fake generator, and the bytes of its raw samples by file. */
export interface ExampleRun {
  readonly record: ResultRecord;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Makes one, with a cell for each plan. */
export async function exampleRun(...plans: CellPlan[]): Promise<ExampleRun> {
  return await inTemporaryFolder(async (outputFolder) => {
    const record = await runExample(outputFolder, ...plans);
    const names = record.cells.map(({ rawSamples }) => rawSamples?.file ?? "");
    const bytes = await Promise.all(names.map((name) => readFile(join(outputFolder, name))));
    return { record, files: new Map(names.map((name, index) => [name, bytes[index]!])) };
  });
}

/** The record of a whole run over a fake generator. */
export async function exampleRecord(): Promise<ResultRecord> {
  return await inTemporaryFolder((outputFolder) => runExample(outputFolder));
}

/** The same as if eight processes had measured it, so that its claims are decided. */
export async function decidedRecord(): Promise<ResultRecord> {
  const record = await exampleRecord();
  const cells = record.cells.map((cell) => {
    const blocks = Array.from({ length: 8 }, (_, process) =>
      cell.blocks.map((block) => ({ ...block, process })),
    ).flat();
    return { ...cell, blocks, analysis: analyze(blocks, cell.tokens) };
  });
  const claims = await readClaims(shippedClaimsFile);
  return { ...record, cells, claims: judgeClaims(claims, cells) };
}

/** Leaves the run in a folder. Asynchronous streaming takes a fifth longer there. */
export async function runExample(
  outputFolder: string,
  ...plans: CellPlan[]
): Promise<ResultRecord> {
  const clock = new ManualClock();
  const { record } = await runBench({
    preset: presetOf(...(plans.length > 0 ? plans : [cellPlan()])),
    seed: 1,
    outputFolder,
    clock,
    openGenerator: () =>
      Promise.resolve(
        createFakeGenerator({
          clock,
          tokenNanoseconds: (mode) => (mode === "streamAsync" ? 120_000 : 100_000),
        }),
      ),
  });
  return record;
}
