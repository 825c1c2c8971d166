import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { readRawSamples, type RawBlock } from "../measure/raw-samples.js";
import { readRecordFile, sha256 } from "./record-file.js";
import type { Cell, Environment, ResultRecord, RunPlan } from "../record/index.js";

/** A run to go on with, and the raw blocks of its cells. */
export interface RunToResume {
  readonly record: ResultRecord;
  /** The record's own. */
  readonly plan: RunPlan;
  readonly rawBlocks: ReadonlyMap<string, readonly RawBlock[]>;
}

/**
 * Reads an interrupted run. A process's part of a cell that is not whole, or
 * whose samples are gone, is left out: it will be measured again.
 *
 * @throws StreamgaugeError `INVALID_OPTION` when it is complete, of another
 *   commit or machine, or without a plan; InvalidRecordError
 */
export async function readRunToResume(
  folder: string,
  here: Pick<Environment, "git" | "cpuModel" | "nodeVersion">,
): Promise<RunToResume> {
  const record = await readRecordFile(join(folder, "record.json"));
  if (record.status === "complete") {
    throw invalid(`The run in ${folder} is complete: there is nothing to resume.`);
  }
  const { plan } = record;
  if (plan === undefined) {
    throw invalid(`The record in ${folder} has no plan, because an older version wrote it.`);
  }
  requireSame("commit", record.environment.git?.commit, here.git?.commit);
  requireSame("CPU", record.environment.cpuModel, here.cpuModel);
  requireSame("version of Node", record.environment.nodeVersion, here.nodeVersion);
  const rawBlocks = new Map<string, readonly RawBlock[]>();
  const cells: Cell[] = [];
  for (const cell of record.cells) {
    const whole = (cell.processes ?? []).filter(({ status }) => status === "complete");
    const blocks = whole.length === 0 ? [] : await readBlocks(folder, cell);
    const parts = whole.filter(({ process }) => blocks.some((block) => block.process === process));
    if (cell.status !== "failed" && parts.length === 0) continue;
    const kept = parts.map(({ process }) => process);
    rawBlocks.set(
      cell.id,
      blocks.filter(({ process }) => kept.includes(process)),
    );
    cells.push({ ...cell, processes: parts });
  }
  return { record: { ...record, cells }, plan, rawBlocks };
}

async function readBlocks(folder: string, cell: Cell): Promise<readonly RawBlock[]> {
  const reference = cell.rawSamples ?? null;
  if (reference === null) return [];
  try {
    const bytes = await readFile(join(folder, reference.file));
    return sha256(bytes) === reference.sha256 ? (await readRawSamples(bytes)).blocks : [];
  } catch {
    return [];
  }
}

function requireSame(what: string, then: string | undefined, now: string | undefined): void {
  if (then === now) return;
  throw invalid(
    `The run was begun with ${what} ${then ?? "unknown"}, and this is ${now ?? "unknown"}: one ` +
      `record is of one thing. Go back to it, or begin a new run.`,
  );
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
