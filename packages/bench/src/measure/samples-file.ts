/**
 * The frame of a file of raw samples, which is gzip of
 *
 * ```text
 * header    one line of JSON, ended by a line feed: format, version, what the format names, and
 *           the number of items
 * items     integers as in `varint.ts`
 * ```
 *
 * @module
 */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { shownJson } from "../record/shape.js";
import { VarintReader } from "./varint.js";

/** A kind of file. */
export interface SamplesFormat<Header, Item> {
  /** What the header says that the file is. */
  readonly format: string;
  /** Which is written. */
  readonly version: number;
  /** Which are read as well. */
  readonly olderVersions: readonly number[];
  /** What the items are called, also by the header, which has their number. */
  readonly items: "blocks" | "requests";
  /** What else the header has to name, in words. */
  readonly named: string;
  /** Undefined where the header lacks any of it. */
  readonly readHeader: (
    fields: Readonly<Record<string, unknown>>,
    version: number,
  ) => Header | undefined;
  /** @throws RangeError for what no writer makes */
  readonly readItem: (reader: VarintReader, header: Header) => Item;
  /** No file comes near it; one that unpacks to more was made to do harm. */
  readonly largestUnpackedBytes: number;
  /** What the file holds and how to get another, in words: for messages. */
  readonly words: { readonly holds: string; readonly remedy: string };
}

/** The content of a file. */
export interface Samples<Header, Item> {
  readonly header: Header;
  readonly items: readonly Item[];
}

/**
 * The bytes of a file. Compresses on another thread.
 *
 * @param fields of the header, in this order behind format and version
 * @param items each already encoded
 */
export async function packSamples(
  {
    format,
    version,
    items: name,
  }: Pick<SamplesFormat<unknown, unknown>, "format" | "version" | "items">,
  fields: object,
  items: readonly Uint8Array[],
): Promise<Uint8Array> {
  const header = { format, version, ...fields, [name]: items.length };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  return await promisify(gzip)(Buffer.concat([line, ...items]));
}

/**
 * Reads what {@link packSamples} has made.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` for bytes that are cut off, damaged, of another
 *   format or of another version
 */
export async function unpackSamples<Header, Item>(
  format: SamplesFormat<Header, Item>,
  bytes: Uint8Array,
): Promise<Samples<Header, Item>> {
  const invalid = (what: string, cause?: unknown): StreamgaugeError => {
    const { holds, remedy } = format.words;
    return new StreamgaugeError(
      "INVALID_RAW_SAMPLES",
      `These are no intact ${holds}: ${what}. Take an intact copy, or ${remedy}.`,
      { cause },
    );
  };
  let content: Buffer;
  try {
    content = await promisify(gunzip)(bytes, { maxOutputLength: format.largestUnpackedBytes });
  } catch (cause) {
    throw invalid(`they do not unpack (${messageOf(cause)})`, cause);
  }
  const headerEnd = content.indexOf("\n");
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = Object(JSON.parse(content.toString("utf8", 0, headerEnd))) as typeof fields;
  } catch (cause) {
    throw invalid("they do not begin with a line of JSON", cause);
  }
  const { header, count } = readFields(format, fields, invalid);
  try {
    const reader = new VarintReader(content.subarray(headerEnd + 1));
    const items: Item[] = [];
    while (items.length < count) items.push(format.readItem(reader, header));
    if (!reader.atEnd) {
      throw new RangeError(`There are bytes after the last of ${count} ${format.items}.`);
    }
    return { header, items };
  } catch (cause) {
    throw invalid(messageOf(cause), cause);
  }
}

function readFields<Header>(
  format: SamplesFormat<Header, unknown>,
  fields: Readonly<Record<string, unknown>>,
  invalid: (what: string) => StreamgaugeError,
): { readonly header: Header; readonly count: number } {
  if (fields["format"] !== format.format) {
    throw invalid(`their format is not "${format.format}"`);
  }
  const readable = [...format.olderVersions, format.version];
  const version = readable.find((known) => known === fields["version"]);
  if (version === undefined) {
    throw invalid(
      `they have version ${shownJson(fields["version"])}, and this reads ${readable.join(", ")}`,
    );
  }
  const header = format.readHeader(fields, version);
  const count = fields[format.items];
  if (header === undefined || !isCount(count)) {
    throw invalid(`their header names no ${format.named} or number of ${format.items}`);
  }
  return { header, count };
}

/** Whether it is a whole number from 0 on. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
