import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidRecordError, parseRecord, type ResultRecord } from "@streamgauge/bench/record";

/** A record and the file that it came from. */
export interface FoundRecord {
  readonly path: string;
  readonly record: ResultRecord;
}

/** @throws InvalidRecordError naming the file, when it is not a readable record */
export async function readRecord(path: string): Promise<FoundRecord> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidRecordError(
      `There is no readable file ${path}: run the bench first, or give another path.`,
      { cause },
    );
  }
  try {
    return { path, record: parseRecord(JSON.parse(text)) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidRecordError(`${path}: ${reason}`, { cause });
  }
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
  const found: FoundRecord[] = [];
  for (const name of names) {
    if (!/(^|[\\/])record\.json$/.test(name) || !accepts(name)) continue;
    try {
      found.push(await readRecord(join(folder, name)));
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
