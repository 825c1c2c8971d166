import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { invalidOption } from "@streamgauge/core";
import type { RawBlock } from "../measure/raw-samples.js";
import { readCellSamples } from "./cell-samples.js";
import { readRecordAsFarAsPossible } from "./read-record.js";
import type { Cell, Environment, ResultRecord } from "../record/index.js";

/** A run to go on with, and the raw blocks of its cells. */
export interface RunToResume {
  readonly record: ResultRecord;
  readonly rawBlocks: ReadonlyMap<string, readonly RawBlock[]>;
}

/**
 * Reads an interrupted run. A process's part of a cell that is not whole, or
 * whose samples are gone, is left out: it will be measured again.
 *
 * @throws StreamgaugeError `INVALID_OPTION` when it is complete; InvalidRecordError
 */
export async function readRunToResume(folder: string): Promise<RunToResume> {
  const { record, unrestored } = await readRecordAsFarAsPossible(folder);
  if (record.status === "complete") {
    throw invalidOption(`The run in ${folder} is complete: there is nothing to resume.`);
  }
  const rawBlocks = new Map<string, readonly RawBlock[]>();
  const cells: Cell[] = [];
  for (const cell of record.cells) {
    const whole = cell.processes.filter(({ status }) => status === "complete");
    const blocks = whole.length === 0 ? [] : await readBlocks(record, cell, folder);
    const parts = whole.filter(({ process }) => blocks.some((block) => block.process === process));
    if (parts.length === 0 && (cell.status !== "failed" || unrestored.has(cell.id))) continue;
    const kept = parts.map(({ process }) => process);
    rawBlocks.set(
      cell.id,
      blocks.filter(({ process }) => kept.includes(process)),
    );
    // What was planned for parts that are measured again is planned again.
    const plannedBlocks = parts.reduce((sum, part) => sum + part.blocks, 0);
    cells.push({ ...cell, processes: parts, plannedBlocks });
  }
  return { record: { ...record, cells }, rawBlocks };
}

/** @throws StreamgaugeError `INVALID_OPTION` for a run of another commit or machine */
export function requireSameMachine(
  { environment: then }: Pick<ResultRecord, "environment">,
  here: Pick<Environment, "git" | "cpuModel" | "nodeVersion">,
): void {
  requireSame("commit", then.git?.commit, here.git?.commit);
  requireSame("CPU", then.cpuModel, here.cpuModel);
  requireSame("version of Node", then.nodeVersion, here.nodeVersion);
}

async function readBlocks(
  record: ResultRecord,
  { id, rawSamples }: Cell,
  folder: string,
): Promise<readonly RawBlock[]> {
  if (rawSamples === null) return [];
  try {
    const readBeside = (file: string): Promise<Uint8Array> => readFile(join(folder, file));
    return await readCellSamples(record, { id, rawSamples }, readBeside);
  } catch {
    return [];
  }
}

function requireSame(what: string, then: string | undefined, now: string | undefined): void {
  if (then === now) return;
  throw invalidOption(
    `The run was begun with ${what} ${then ?? "unknown"}, and this is ${now ?? "unknown"}: one ` +
      `record is of one thing. Go back to it, or begin a new run.`,
  );
}
