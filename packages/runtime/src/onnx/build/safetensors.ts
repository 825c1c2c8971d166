import { open, type FileHandle } from "node:fs/promises";

import { StreamgaugeError } from "@streamgauge/core";

import { bfloat16ToFloat32, float16ToFloat32 } from "../half-precision.js";

/** Where a tensor lies in its file, and what it is. */
export interface SafetensorsEntry {
  readonly type: "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
  /** Byte position of the first element, from the start of the file. */
  readonly position: number;
  readonly byteLength: number;
}

/** An open safetensors file. One reader at a time; close it when done. */
export interface SafetensorsFile {
  /** Tensors by name. Types other than F32, F16 and BF16 are refused when the file is opened. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /**
   * Reads one tensor, widened to float32, row-major, in pieces of whole rows.
   *
   * @throws StreamgaugeError `MODEL_CORRUPT` when the file has no such tensor or shrank since
   */
  pieces(name: string): AsyncIterable<Float32Array<ArrayBuffer>>;
  /** Closes the file. Nothing can be read afterwards. */
  close(): Promise<void>;
}

// Some 100,000 tensors. The format allows 100 MB, but JSON of that length can take gigabytes
// to parse, and ends the process if it does not get them.
const maximumHeaderBytes = 16_000_000;

/** Elements read at once, as far as rows allow: four megabytes as float32. */
const pieceElements = 2 ** 20;

const elementBytes: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Opens a safetensors file and validates its header: it fits into the file,
 * parses, and its tensors cover the data exactly once, each as long as its
 * type and shape say. Only the header is read.
 *
 * @param path also names the file in the errors
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, or
 *   `MODEL_UNSUPPORTED` for an element type that is not implemented
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    const tensors = await readHeader(handle, size, path);
    return {
      tensors,
      async *pieces(name) {
        const entry = tensors.get(name);
        if (entry === undefined) throw corrupt(path, `it holds no tensor ${name}`);
        const [rows = 1, ...columns] = entry.shape;
        const width = columns.reduce((product, length) => product * length, 1);
        const rowBytes = entry.byteLength / Math.max(rows, 1);
        const most = rowsPerPiece(width);
        for (let row = 0; row < rows; row += most) {
          const byteLength = Math.min(most, rows - row) * rowBytes;
          const position = entry.position + row * rowBytes;
          yield widen(entry, await readExactly(handle, position, byteLength, path));
        }
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Rows that a piece of a tensor has at most, at least one. */
export function rowsPerPiece(width: number): number {
  return Math.max(1, Math.floor(pieceElements / Math.max(width, 1)));
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `${path} cannot be opened. Give the folder of a checkpoint with model.safetensors in it.`,
      { cause },
    );
  }
}

async function readHeader(
  handle: FileHandle,
  fileBytes: number,
  path: string,
): Promise<Map<string, SafetensorsEntry>> {
  if (fileBytes < 8) throw corrupt(path, `its ${fileBytes} bytes are too few for a header`);
  const lengthField = await readExactly(handle, 0, 8, path);
  const headerBytes = Number(new DataView(lengthField).getBigUint64(0, true));
  if (headerBytes > maximumHeaderBytes) {
    throw corrupt(
      path,
      `its header claims ${headerBytes} bytes; at most ${maximumHeaderBytes} are allowed`,
    );
  }
  const dataStart = 8 + headerBytes;
  if (dataStart > fileBytes) {
    throw corrupt(path, `its header claims ${headerBytes} bytes, but the file has ${fileBytes}`);
  }
  const header = parseHeader(await readExactly(handle, 8, headerBytes, path), path);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    tensors.set(name, parseEntry(name, value, dataStart, path));
  }
  checkCoverage(tensors, dataStart, fileBytes, path);
  return tensors;
}

function parseHeader(bytes: ArrayBuffer, path: string): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw corrupt(path, "its header is not JSON", cause);
  }
  if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
  throw corrupt(path, "its header is not a JSON object");
}

function parseEntry(
  name: string,
  value: unknown,
  dataStart: number,
  path: string,
): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2 || typeof dtype !== "string") {
    throw corrupt(path, `tensor ${name} lacks a valid dtype, shape or data_offsets`);
  }
  const bytesPerElement = elementBytes[dtype];
  if (bytesPerElement === undefined) {
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${path}: tensor ${name} has type ${dtype}; F32, F16 and BF16 are implemented. Convert the checkpoint.`,
    );
  }
  const [start = 0, end = 0] = offsets;
  const byteLength = shape.reduce((product, size) => product * size, bytesPerElement);
  if (end - start !== byteLength) {
    throw corrupt(
      path,
      `tensor ${name} of type ${dtype} and shape [${shape.join(", ")}] needs ${byteLength} bytes, but its data_offsets span ${end - start}`,
    );
  }
  return {
    type: dtype as SafetensorsEntry["type"],
    shape,
    position: dataStart + start,
    byteLength,
  };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The format allows neither overlap nor holes; either means that offsets were tampered with. */
function checkCoverage(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  dataStart: number,
  fileBytes: number,
  path: string,
): void {
  const inOrder = [...tensors].toSorted(
    ([, a], [, b]) => a.position - b.position || a.byteLength - b.byteLength,
  );
  let covered = dataStart;
  for (const [name, entry] of inOrder) {
    if (entry.position < covered) throw corrupt(path, `tensor ${name} overlaps the one before it`);
    if (entry.position > covered) throw corrupt(path, `there is a hole before tensor ${name}`);
    covered += entry.byteLength;
    if (covered > fileBytes) {
      throw corrupt(path, `tensor ${name} ends at byte ${covered}, but the file has ${fileBytes}`);
    }
  }
  if (covered < fileBytes) {
    throw corrupt(path, `${fileBytes - covered} bytes after the last tensor belong to none`);
  }
}

async function readExactly(
  handle: FileHandle,
  position: number,
  byteLength: number,
  path: string,
): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength);
  let filled = 0;
  while (filled < byteLength) {
    const { bytesRead } = await handle.read(bytes, filled, byteLength - filled, position + filled);
    if (bytesRead === 0) throw corrupt(path, `it ends ${byteLength - filled} bytes too early`);
    filled += bytesRead;
  }
  return bytes.buffer;
}

function widen(entry: SafetensorsEntry, bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  switch (entry.type) {
    case "F32":
      return new Float32Array(bytes);
    case "F16":
      return float16ToFloat32(new Uint16Array(bytes));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(bytes));
  }
}

function corrupt(path: string, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${path} is damaged: ${what}. Download the checkpoint again.`,
    { cause },
  );
}
