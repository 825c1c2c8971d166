import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { findNewestFull } from "../files/committed-results.js";
import { findNewestRecord, readRecord, type FoundRecord } from "../files/find-record.js";
import { isTracked } from "../files/tracked-files.js";

/** Which record is rendered, and where to. */
export interface ReportTarget {
  readonly found: FoundRecord;
  /** The document. */
  readonly out: string;
  /** Whether the marked documents beside it are filled: from committed records only. */
  readonly fills: boolean;
}

interface Choice {
  readonly record?: string;
  readonly local?: true;
  readonly out?: string;
}

const results = "results";

/** The document of the workspace, and of a run in its own folder. */
const documentName = "BENCHMARKS.md";

/**
 * The record that is asked for, or the newest finished one, whoever's it is.
 *
 * @throws InvalidRecordError where there is none
 */
export async function chooseRecord(
  { record, local }: Choice,
  tell: (message: string) => void,
): Promise<FoundRecord> {
  if (record !== undefined) return await readRecord(record);
  return await findNewestRecord(local === true ? join(results, "local") : results, tell);
}

/**
 * What to render where. The workspace's documents are written from committed records, and a run of
 * one's own into its own folder.
 *
 * @throws StreamgaugeError `OUT_REQUIRED` outside the workspace without a document, `NOT_COMMITTED`
 *   where the workspace's documents would be written from a record that git does not track
 * @throws InvalidRecordError where there is no such record
 */
export async function chooseTarget(
  choice: Choice,
  tell: (message: string) => void,
): Promise<ReportTarget> {
  const isInside = await isWorkspace(".");
  if (!isInside && choice.out === undefined) {
    throw new StreamgaugeError(
      "OUT_REQUIRED",
      "This is not the workspace of streamgauge: name the document to write, --out <path>, " +
        "or the page, --html <file>.",
    );
  }
  const isAsked = choice.record !== undefined || choice.local === true;
  const found =
    isInside && !isAsked ? await findNewestFull(results) : await chooseRecord(choice, tell);
  const fills = choice.local !== true && (await isTracked(found.path));
  const out = choice.out ?? (fills ? documentName : join(dirname(found.path), documentName));
  if (isInside && !fills && resolve(dirname(out)) === resolve(".")) {
    throw new StreamgaugeError(
      "NOT_COMMITTED",
      `${found.path} is not in git, and the documents here are written from committed records. ` +
        "Leave out --out to write them into its own folder, or `git add` it first.",
    );
  }
  return { found, out, fills };
}

/** Whether a folder is the root of this repository. */
async function isWorkspace(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return (
      typeof manifest === "object" &&
      manifest !== null &&
      "name" in manifest &&
      manifest.name === "streamgauge-workspace"
    );
  } catch {
    return false;
  }
}
