/**
 * The form in which a record is stored: as JSON, without what its raw samples say, and compressed
 * when it is large. What is read again is what was written, field for field.
 *
 * @module
 */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { messageOf } from "@streamgauge/core";
import { deriveBlock } from "../conclude/derivation.js";
import type { RawBlock } from "../measure/raw-samples.js";
import {
  InvalidRecordError,
  type Cell,
  type RawSamplesReference,
  type ResultRecord,
} from "../record/index.js";

/** A record's file in its folder: plain, and compressed. */
export const recordFileNames = { plain: "record.json", compressed: "record.json.gz" } as const;

/** A record whose JSON has more bytes is stored compressed. */
export const largestPlainBytes = 1_000_000;

/** No record comes near it; a file that unpacks to more was made to do harm. */
const largestUnpackedBytes = 2 ** 28;

/** What identifies a cell's samples. */
export type SampledCell = Pick<Cell, "id"> & { readonly rawSamples: RawSamplesReference };

/** As JSON on one line, without the blocks of the cells that have raw samples. */
export function storedText(record: ResultRecord): string {
  const cells = record.cells.map((cell) => {
    if ((cell.rawSamples ?? null) === null) return cell;
    const { blocks, ...stored } = cell;
    return stored;
  });
  return `${JSON.stringify({ ...record, cells })}\n`;
}

/** Compresses on another thread; the same text gives the same bytes on every platform. */
export async function compressText(text: string): Promise<Uint8Array> {
  const bytes = await promisify(gzip)(text);
  // gzip's header names the system that wrote it; 255 stands for an unknown one.
  bytes[9] = 255;
  return bytes;
}

/**
 * The JSON value in a record's file, whichever form it has.
 *
 * @throws InvalidRecordError without the file's name
 */
export async function parseStored(bytes: Uint8Array, isCompressed: boolean): Promise<unknown> {
  let text: string;
  if (isCompressed || isGzip(bytes)) {
    try {
      const content = await promisify(gunzip)(bytes, { maxOutputLength: largestUnpackedBytes });
      text = content.toString("utf8");
    } catch (cause) {
      throw damaged(`it does not unpack (${messageOf(cause)})`, cause);
    }
  } else {
    text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(`it is not JSON (${messageOf(cause)})`, cause);
  }
}

/**
 * Puts back the blocks that {@link storedText} left out.
 *
 * @param json of any shape: what is no record is left as it is, for `parseRecord` to say so
 * @param readSamples gives the raw blocks of a cell; what it throws is thrown
 */
export async function restoreBlocks(
  json: unknown,
  readSamples: (cell: SampledCell) => Promise<readonly RawBlock[]>,
): Promise<unknown> {
  if (!hasCells(json)) return json;
  const cells: unknown[] = [];
  for (const cell of json.cells) {
    cells.push(isLeftOut(cell) ? await restoreCell(cell, await readSamples(cell)) : cell);
  }
  return { ...json, cells };
}

function restoreCell(cell: StoredCell, rawBlocks: readonly RawBlock[]): unknown {
  return { ...cell, blocks: rawBlocks.map((block, index) => deriveBlock(block, index, cell)) };
}

/** A cell whose blocks are in its raw samples alone. */
type StoredCell = SampledCell & Pick<Cell, "tokens" | "concurrency">;

function isLeftOut(cell: unknown): cell is StoredCell {
  const { blocks, rawSamples } = Object(cell) as Partial<Cell>;
  return blocks === undefined && typeof rawSamples?.file === "string";
}

function hasCells(json: unknown): json is { readonly cells: readonly unknown[] } {
  return Array.isArray((Object(json) as Partial<ResultRecord>).cells);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function damaged(what: string, cause: unknown): InvalidRecordError {
  return new InvalidRecordError(`${what}. Take an intact copy, or run the bench again.`, { cause });
}
