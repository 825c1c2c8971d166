import { open, type FileHandle } from "node:fs/promises";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { StreamgaugeError } from "@streamgauge/core";
import {
  messageOfField,
  moveExternalTensors,
  splitTensor,
  WeightFiles,
  type Message,
  type WeightPlaces,
} from "./external-tensors.js";
import { externalPlaceFields } from "./protobuf.js";

/** Tensors with fewer bytes stay in the model: onnxruntime reads shapes from them when it loads. */
const leastExternalBytes = 1 << 12;

/**
 * A model's bytes with its large tensors left out: each says that its data are
 * external, and where in this very file they are. onnxruntime maps them from there,
 * so that weights are neither read here nor copied by its parser.
 *
 * Places of all external data are counted from `weightsRoot`, and those of links
 * are where they lead to: onnxruntime takes neither a path that leads out of the folder
 * that it is told, nor a link that does.
 *
 * @throws what Node throws for a file that cannot be read; StreamgaugeError
 *   `MODEL_CORRUPT` for one that is cut off or no protobuf message, or lacks a file of
 *   weights, `MODEL_NOT_FOUND` where that is a link that leads nowhere, `MODEL_UNSUPPORTED`
 *   where it is outside of the model's folder
 */
export async function readLeanModel(file: string): Promise<Uint8Array> {
  return await lean(file, await WeightFiles.of(file));
}

/**
 * The files beside it that a model names as those of its weights, as it writes them. They need
 * not be there.
 *
 * @throws as {@link readLeanModel}, but for what files of weights cause
 */
export async function namedWeightFiles(file: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const external = (location: string): Promise<string> => {
    names.add(location);
    return Promise.resolve(location);
  };
  await lean(file, { own: "", external });
  return names;
}

async function lean(file: string, files: WeightPlaces): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const reader = new FileReader(handle, size);
    const fields = await copyFields(reader, size, async (number, end) =>
      messageOfField("model", number) === "graph"
        ? await leanGraph(reader, end, files)
        : await moved(reader, end, messageOfField("model", number), files),
    );
    return Buffer.concat(fields);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} does not parse as an ONNX model. Build or download it again.`,
      { cause },
    );
  } finally {
    await handle.close();
  }
}

async function leanGraph(reader: FileReader, end: number, files: WeightPlaces): Promise<Buffer> {
  const fields = await copyFields(reader, end, async (number, fieldEnd) =>
    messageOfField("graph", number) === "tensor"
      ? await leanTensor(reader, fieldEnd, files)
      : await moved(reader, fieldEnd, messageOfField("graph", number), files),
  );
  return Buffer.concat(fields);
}

async function leanTensor(
  reader: FileReader,
  end: number,
  files: WeightPlaces,
): Promise<Uint8Array> {
  let place: Uint8Array | undefined;
  const fields = await copyFields(reader, end, async (number, dataEnd) => {
    const position = reader.position;
    const length = dataEnd - position;
    // TensorProto.raw_data
    if (number !== 9 || length < leastExternalBytes) return undefined;
    reader.position = dataEnd;
    place = externalPlaceFields({ file: files.own, position }, length);
    return null;
  });
  const tensor = Buffer.concat(fields);
  if (place === undefined) return await moveExternalTensors(tensor, "tensor", files);
  return Buffer.concat([splitTensor(tensor).rest, place]);
}

/** The message at the position of the reader, with its external data moved; undefined if nothing had to be. */
async function moved(
  reader: FileReader,
  end: number,
  message: Message | undefined,
  files: WeightPlaces,
): Promise<Uint8Array | undefined> {
  if (message === undefined) return undefined;
  const bytes = await reader.bytes(reader.position, end);
  const result = await moveExternalTensors(bytes, message, files);
  return result === bytes ? undefined : result;
}

/** How a field is written, as its tag says it. */
const wire = { varint: 0, bit64: 1, lengthDelimited: 2, bit32: 5 } as const;

/**
 * The fields of a message up to its end, as they are but for those with a length
 * that `replace` reads: their contents become what it returns, null drops the
 * field, and undefined, for one that it left alone, copies it.
 */
async function copyFields(
  reader: FileReader,
  end: number,
  replace: (number: number, end: number) => Promise<Uint8Array | null | undefined>,
): Promise<Uint8Array[]> {
  const copied: Uint8Array[] = [];
  while (reader.position < end) {
    const start = reader.position;
    const tag = await reader.varint(end);
    const type = tag % 8;
    if (type === wire.lengthDelimited) {
      const length = await reader.varint(end);
      const fieldEnd = reader.position + length;
      if (fieldEnd > end)
        throw new RangeError(`A field ends at ${fieldEnd}, its message at ${end}.`);
      const replaced = await replace(Math.floor(tag / 8), fieldEnd);
      if (replaced === undefined) {
        copied.push(await reader.bytes(start, fieldEnd));
      } else if (replaced !== null) {
        copied.push(new BinaryWriter().uint32(tag).bytes(replaced).finish());
      }
      reader.position = fieldEnd;
      continue;
    }
    if (type === wire.varint) await reader.varint(end);
    else if (type === wire.bit64) reader.position += 8;
    else if (type === wire.bit32) reader.position += 4;
    else throw new RangeError(`There is no field of the type ${type}.`);
    copied.push(await reader.bytes(start, reader.position));
  }
  if (reader.position !== end) throw new RangeError(`A message ends in the middle of a field.`);
  return copied;
}

const windowBytes = 1 << 14;

/** Reads here and there in a file, a window at a time. */
class FileReader {
  position = 0;
  readonly #handle: FileHandle;
  readonly #size: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  /** An unsigned number at the position, which moves behind it. */
  async varint(end: number): Promise<number> {
    const bytes = await this.bytes(this.position, Math.min(this.position + 10, end));
    let value = 0;
    for (const [index, byte] of bytes.entries()) {
      value += (byte % 128) * 2 ** (7 * index);
      if (byte >= 128) continue;
      this.position += index + 1;
      return value;
    }
    throw new RangeError(`There is no number at ${this.position}.`);
  }

  async bytes(start: number, end: number): Promise<Buffer> {
    if (end > this.#size) throw new RangeError(`The file ends before ${end}.`);
    const from = start - this.#windowStart;
    if (from >= 0 && from + end - start <= this.#window.length) {
      return this.#window.subarray(from, from + end - start);
    }
    const length = Math.min(this.#size - start, Math.max(windowBytes, end - start));
    const window = Buffer.allocUnsafeSlow(length);
    for (let read = 0; read < length;) {
      const { bytesRead } = await this.#handle.read(window, read, length - read, start + read);
      if (bytesRead === 0) throw new RangeError(`The file ends before ${start + length}.`);
      read += bytesRead;
    }
    this.#window = window;
    this.#windowStart = start;
    return window.subarray(0, end - start);
  }
}
