import { messageOf, StreamgaugeError } from "@streamgauge/core";
import { firstDifference } from "../statistics/difference.js";
import { readRawSamples, type RawBlock, type RawSamples } from "../measure/raw-samples.js";
import type { RawSamplesReference, ResultRecord } from "../record/index.js";
import { sha256 } from "./record-file.js";
import type { SampledCell } from "./stored-record.js";

/** Gives the bytes of a file that is named relative to the record. */
export type ReadBeside = (file: string) => Promise<Uint8Array>;

/**
 * Reads the raw samples of a cell and holds them against what the record says of the file.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` naming the file and the remedy, when it cannot be
 *   read, is damaged, is not the one that the record names, or is of another run or cell
 */
export async function readCellSamples(
  { runId }: Pick<ResultRecord, "runId">,
  { id, rawSamples }: SampledCell,
  readBeside: ReadBeside,
): Promise<readonly RawBlock[]> {
  const { file } = rawSamples;
  let bytes: Uint8Array;
  try {
    bytes = await readBeside(requirePlainName(rawSamples));
  } catch (cause) {
    const reason = messageOf(cause);
    throw invalid(
      `The blocks of ${id} are in ${file} beside the record, and it cannot be read (${reason}). ` +
        `Copy the folder raw/ together with the record, or run the bench again.`,
      cause,
    );
  }
  const otherBytes = describeOtherBytes(rawSamples, bytes);
  if (otherBytes !== undefined) {
    throw invalid(`${file}: ${otherBytes}. Take an intact copy, or run the bench again.`);
  }
  const { blocks, ...origin } = await readNamed(file, bytes);
  const otherOrigin = describeOtherOrigin({ runId, cell: id }, origin);
  if (otherOrigin !== undefined) {
    throw invalid(`${file}: ${otherOrigin}. Take the file of this run, or run the bench again.`);
  }
  return blocks;
}

async function readNamed(file: string, bytes: Uint8Array): Promise<RawSamples> {
  try {
    return await readRawSamples(bytes);
  } catch (cause) {
    const reason = messageOf(cause);
    throw invalid(`${file}: ${reason}`, cause);
  }
}

/**
 * The name, when it may be read: a record can come from anywhere, and must not have other files read.
 *
 * @throws RangeError
 */
export function requirePlainName({ file }: RawSamplesReference): string {
  if (/^raw\/[^/\\]+$/.test(file)) return file;
  throw new RangeError("Raw samples lie in raw/ beside the record, and nowhere else.");
}

/** How a file's bytes differ from what the record says of them; undefined when they do not. */
export function describeOtherBytes(
  { byteLength, sha256: expected }: RawSamplesReference,
  bytes: Uint8Array,
): string | undefined {
  if (bytes.byteLength !== byteLength) {
    return `the file has ${bytes.byteLength} bytes, and the record says ${byteLength}`;
  }
  const actual = sha256(bytes);
  return actual === expected
    ? undefined
    : `the file's SHA-256 is ${actual}, and the record says ${expected}`;
}

/** How the run and the cell that a file names differ from the record's; undefined when they do not. */
export function describeOtherOrigin(
  recorded: Omit<RawSamples, "blocks">,
  origin: Omit<RawSamples, "blocks">,
): string | undefined {
  return firstDifference(recorded, origin, "the origin");
}

function invalid(message: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError("INVALID_RAW_SAMPLES", message, { cause });
}
