/**
 * Reads a record from its folder: the file in either form, and the blocks from the raw samples beside
 * it. Exported as `@streamgauge/bench/record-file`.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "@streamgauge/core";
import type { RawBlock } from "../measure/raw-samples.js";
import { InvalidRecordError, parseRecord, type Cell, type ResultRecord } from "../record/index.js";
import { readCellSamples } from "./cell-samples.js";
import { parseStored, recordFileNames, restoreBlocks } from "./stored-record.js";

export type { RawBlock, RawRun } from "../measure/raw-samples.js";

/** A record that was read as far as its files allow. */
export interface ReadableRecord {
  readonly record: ResultRecord;
  /** Ids of the cells without blocks because their raw samples are gone or damaged, and why. */
  readonly unrestored: ReadonlyMap<string, Error>;
}

/** Whether a path is one of a record's file, plain or compressed. */
export function isRecordPath(path: string): boolean {
  const name = basename(path.replaceAll("\\", "/"));
  return name === recordFileNames.plain || name === recordFileNames.compressed;
}

/**
 * The file of a record.
 *
 * @param path the file, or its folder. Where there is only the other form of the file that is named,
 *   it is that one; of a folder with both it is the compressed one, because a run that goes over to
 *   it removes the plain one last.
 * @returns a path that may not be there, when there is no record
 */
export async function locateRecordFile(path: string): Promise<string> {
  const kind = await kindOf(path);
  if (kind === "file") return path;
  if (kind === "folder") {
    const compressed = join(path, recordFileNames.compressed);
    return (await kindOf(compressed)) === "file" ? compressed : join(path, recordFileNames.plain);
  }
  const other = path.endsWith(".gz") ? path.slice(0, -".gz".length) : `${path}.gz`;
  return isRecordPath(path) && (await kindOf(other)) === "file" ? other : path;
}

/**
 * Reads a record from its file.
 *
 * @param path as {@link locateRecordFile} takes it
 * @throws InvalidRecordError naming the file, when it is not a readable record, or when raw samples
 *   that its blocks are to be restored from are not there, damaged or others
 */
export async function readRecordFile(path: string): Promise<ResultRecord> {
  const { record, unrestored } = await readRecordAsFarAsPossible(path);
  const [[, cause] = []] = unrestored;
  if (cause !== undefined) {
    throw new InvalidRecordError(`${await locateRecordFile(path)}: ${cause.message}`, { cause });
  }
  return record;
}

/**
 * Reads a record whose raw samples may be gone: cells whose blocks cannot be restored have none.
 *
 * @param path as {@link locateRecordFile} takes it
 * @throws InvalidRecordError naming the file, when it is not a readable record
 */
export async function readRecordAsFarAsPossible(path: string): Promise<ReadableRecord> {
  const file = await locateRecordFile(path);
  const unrestored = new Map<string, Error>();
  try {
    const stored = await parseStored(await readOrRefuse(file), file.endsWith(".gz"));
    const { runId } = Object(stored) as ResultRecord;
    const readBeside = (name: string): Promise<Uint8Array> => readFile(join(dirname(file), name));
    const restored = await restoreBlocks(stored, async (cell) => {
      try {
        return await readCellSamples({ runId }, cell, readBeside);
      } catch (error) {
        unrestored.set(cell.id, error instanceof Error ? error : new Error(messageOf(error)));
        return [];
      }
    });
    return { record: parseRecord(restored), unrestored };
  } catch (cause) {
    const reason = messageOf(cause);
    throw new InvalidRecordError(`${file}: ${reason}`, { cause });
  }
}

/**
 * Reads the raw samples of a cell from the folder of its record.
 *
 * @param file the record's, as {@link locateRecordFile} gives it
 * @returns none for a cell that names no file
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` naming the file, where it is gone or damaged, or is
 *   not the one that the record names
 */
export async function readSamplesBeside(
  file: string,
  record: Pick<ResultRecord, "runId">,
  { id, rawSamples }: Pick<Cell, "id" | "rawSamples">,
): Promise<readonly RawBlock[]> {
  if (rawSamples === null) return [];
  return await readCellSamples(record, { id, rawSamples }, (name) =>
    readFile(join(dirname(file), name)),
  );
}

async function readOrRefuse(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = Object(cause) as NodeJS.ErrnoException;
    throw new InvalidRecordError(
      code === "ENOENT" || code === "ENOTDIR"
        ? "there is no such file. Give a record.json, a record.json.gz or the folder of one, as " +
            "`streamgauge bench` writes them."
        : `it cannot be read (${String(code)}). Make it readable, or give another.`,
      { cause },
    );
  }
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}
