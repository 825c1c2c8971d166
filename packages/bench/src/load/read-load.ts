import { readFile } from "node:fs/promises";
import { messageOf } from "@streamgauge/core";
import {
  InvalidRecordError,
  isLoadRecord,
  parseLoadRecord,
  type LoadRecord,
} from "../record/index.js";
import { locateRecordFile } from "../run/read-record.js";

/**
 * Reads a record of `streamgauge load`.
 *
 * @param path of the record, or of the folder that it is in
 * @returns undefined for a file that is not there, is no JSON, or is another record: whoever reads
 *   those says what is wrong with them
 * @throws InvalidRecordError naming the file, for a record of a load that is damaged or of another
 *   version
 */
export async function readLoadRecord(
  path: string,
): Promise<{ readonly record: LoadRecord; readonly path: string } | undefined> {
  const file = await locateRecordFile(path);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
  if (!isLoadRecord(json)) return undefined;
  try {
    return { record: parseLoadRecord(json), path: file };
  } catch (cause) {
    throw new InvalidRecordError(`${file}: ${messageOf(cause)}`, { cause });
  }
}
