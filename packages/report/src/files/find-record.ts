import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidRecordError, type Cell, type ResultRecord } from "@streamgauge/bench/record";
import {
  isRecordPath,
  locateRecordFile,
  readRecordFile,
  readSamplesBeside,
  type RawBlock,
} from "@streamgauge/bench/record-file";

/** A record and the file that it came from. */
export interface FoundRecord {
  readonly path: string;
  readonly record: ResultRecord;
}

/**
 * Reads a record, with the blocks that are in the raw samples beside it.
 *
 * @param path its file, plain (`record.json`) or compressed (`record.json.gz`), or its folder
 * @throws InvalidRecordError naming the file, when it is not a readable record, or when raw samples
 *   that it needs are not there or damaged
 */
export async function readRecord(path: string): Promise<FoundRecord> {
  const file = await locateRecordFile(path);
  return { path: file, record: await readRecordFile(file) };
}

/**
 * What reads the raw samples of a record's cells, one file at each call; of a cell without any it
 * gives none.
 *
 * @returns a function that throws a StreamgaugeError `INVALID_RAW_SAMPLES`, naming the file, where
 *   one is gone or damaged
 */
export function samplesReader({
  path,
  record,
}: FoundRecord): (cell: Cell) => Promise<readonly RawBlock[]> {
  return (cell) => readSamplesBeside(path, record, cell);
}

/**
 * The record under a folder that was started last. Those of runs that have not
 * ended, or crashed, are passed over, and so are those that do not parse, and those
 * of measurements alone: what streaming costs is what the documents tell first.
 *
 * @param onSkipped is told about each file that is passed over
 * @throws InvalidRecordError when none is left
 */
export async function findNewestRecord(
  folder: string,
  onSkipped: (message: string) => void = () => undefined,
): Promise<FoundRecord> {
  const [newest] = (await findRecords(folder, () => true, onSkipped)).filter(({ path, record }) => {
    if (record.status === "running") onSkipped(`${path}: the run has not ended.`);
    else if (record.cells.length === 0) {
      onSkipped(`${path}: it has no cell. Give it by --record to have a document of it.`);
    } else return true;
    return false;
  });
  if (newest === undefined) {
    throw new InvalidRecordError(
      `There is no finished record under ${folder}: run \`pnpm turbo bench\` first.`,
    );
  }
  return newest;
}

/**
 * The records under a folder, the newest first. Files that do not parse are passed over.
 *
 * @param accepts is asked with each path, relative to the folder, before the file is read
 */
export async function findRecords(
  folder: string,
  accepts: (name: string) => boolean = () => true,
  onSkipped: (message: string) => void = () => undefined,
): Promise<FoundRecord[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const folders = names
    .filter((name) => isRecordPath(name) && accepts(name))
    .map((name) => dirname(join(folder, name)));
  const found: FoundRecord[] = [];
  for (const recordFolder of new Set(folders)) {
    try {
      found.push(await readRecord(recordFolder));
    } catch (error) {
      if (!(error instanceof InvalidRecordError)) throw error;
      onSkipped(error.message);
    }
  }
  return found.toSorted((first, second) =>
    // The path decides between equals, because a folder's order is the system's.
    `${second.record.startedAt} ${second.path}` < `${first.record.startedAt} ${first.path}`
      ? -1
      : 1,
  );
}
