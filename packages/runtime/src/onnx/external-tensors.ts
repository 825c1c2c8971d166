import { realpath } from "node:fs/promises";
import { dirname, parse, relative, sep } from "node:path";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { StreamgaugeError } from "@streamgauge/core";
import { namedFile } from "../named-file.js";
import { hasFile } from "../regular-file.js";
import { externalDataFields } from "./protobuf.js";

/** The folder from which the places of a lean model's weights are counted: all files are in it. */
export async function weightsRoot(modelFile: string): Promise<string> {
  return parse(await realpath(modelFile)).root;
}

/** Says where weights are, by what a model calls its files of them. */
export interface WeightPlaces {
  /** The model's own file. */
  readonly own: string;
  external(location: string): Promise<string>;
}

/** Where the weights of a model are: places counted from {@link weightsRoot}, of no link. */
export class WeightFiles implements WeightPlaces {
  readonly own: string;
  readonly #modelFile: string;
  readonly #realFile: string;
  readonly #places = new Map<string, Promise<string>>();

  private constructor(modelFile: string, realFile: string) {
    this.#modelFile = modelFile;
    this.#realFile = realFile;
    this.own = placeOf(realFile);
  }

  static async of(modelFile: string): Promise<WeightFiles> {
    return new WeightFiles(modelFile, await realpath(modelFile));
  }

  /**
   * @param location what the model calls one of its files of weights
   * @throws StreamgaugeError `MODEL_CORRUPT` where it is not there or no file, `MODEL_UNSUPPORTED`
   *   for a place outside of the folder, `MODEL_NOT_FOUND` for a link that leads nowhere
   */
  async external(location: string): Promise<string> {
    const known = this.#places.get(location) ?? this.#find(location);
    this.#places.set(location, known);
    return await known;
  }

  /** Beside the model's file, where download caches link to them, or else beside what that leads to. */
  async #find(location: string): Promise<string> {
    const beside = namedFile(dirname(this.#modelFile), location, this.#modelFile);
    if (await hasFile(beside)) return placeOf(await realpath(beside));
    const besideReal = namedFile(dirname(this.#realFile), location, this.#modelFile);
    if (await hasFile(besideReal)) return placeOf(await realpath(besideReal));
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `onnxruntime cannot load ${this.#modelFile}: it has weights in ${beside}, which is not there. ` +
        `Copy or download the folder whole.`,
    );
  }
}

function placeOf(realFile: string): string {
  return relative(parse(realFile).root, realFile).replaceAll(sep, "/");
}

/** A message of ONNX that may have tensors in it. */
export type Message =
  | "model"
  | "training"
  | "function"
  | "graph"
  | "node"
  | "attribute"
  | "sparse tensor"
  | "tensor";

/** By message, its fields that may have tensors in them, and what they are. */
const messageFields: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse tensor" },
  node: { 5: "attribute" },
  attribute: {
    5: "tensor",
    6: "graph",
    10: "tensor",
    11: "graph",
    22: "sparse tensor",
    23: "sparse tensor",
  },
  "sparse tensor": { 1: "tensor", 2: "tensor" },
  tensor: {},
};

/** What a field is, where it may have tensors in it. */
export function messageOfField(parent: Message, field: number): Message | undefined {
  return messageFields[parent][field];
}

const locationKey = "location";

/**
 * A message in which every tensor with external data says where they are in terms of
 * {@link WeightFiles}; most have none, and are returned as they are.
 *
 * @throws RangeError for bytes that do not parse; StreamgaugeError as {@link WeightFiles.external}
 */
export async function moveExternalTensors(
  bytes: Uint8Array,
  message: Message,
  files: WeightPlaces,
): Promise<Uint8Array> {
  // Whatever is external names its location by this word.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(locationKey)) {
    return bytes;
  }
  if (message === "tensor") return await moveTensor(bytes, files);
  const moved: Uint8Array[] = [];
  for (const { number, bytes: field, contents } of fieldsOf(bytes)) {
    const inner = messageFields[message][number];
    if (inner === undefined || contents === undefined) {
      moved.push(field);
      continue;
    }
    const inside = await moveExternalTensors(contents, inner, files);
    moved.push(
      inside === contents
        ? field
        : new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(inside).finish(),
    );
  }
  return Buffer.concat(moved);
}

async function moveTensor(bytes: Uint8Array, files: WeightPlaces): Promise<Uint8Array> {
  const { rest, entries, isExternal } = splitTensor(bytes);
  if (!isExternal) return rest;
  const location = entries.get(locationKey);
  if (location === undefined) {
    throw new RangeError("A tensor has external data, and does not say where.");
  }
  entries.set(locationKey, await files.external(location));
  return Buffer.concat([rest, externalDataFields(entries)]);
}

/** A tensor without what it says of external data. */
export function splitTensor(bytes: Uint8Array): {
  readonly rest: Uint8Array;
  readonly entries: Map<string, string>;
  readonly isExternal: boolean;
} {
  const rest: Uint8Array[] = [];
  const entries = new Map<string, string>();
  let isExternal = false;
  for (const { number, bytes: field, contents, value } of fieldsOf(bytes)) {
    // TensorProto.external_data, of keys and values
    if (number === 13 && contents !== undefined) {
      const texts = new Map<number, string>();
      for (const text of fieldsOf(contents)) {
        if (text.contents !== undefined) {
          texts.set(text.number, new TextDecoder().decode(text.contents));
        }
      }
      entries.set(texts.get(1) ?? "", texts.get(2) ?? "");
      // TensorProto.data_location
    } else if (number === 14 && value !== undefined) isExternal = value === 1;
    else rest.push(field);
  }
  return { rest: Buffer.concat(rest), entries, isExternal };
}

interface Field {
  readonly number: number;
  /** The whole field, with its tag. */
  readonly bytes: Uint8Array;
  /** The contents of a field with a length; otherwise undefined. */
  readonly contents: Uint8Array | undefined;
  /** The value of a varint; otherwise undefined. */
  readonly value: number | undefined;
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    let field: Omit<Field, "bytes">;
    try {
      const [number, type] = reader.tag();
      const contents = type === WireType.LengthDelimited ? reader.bytes() : undefined;
      const value = type === WireType.Varint ? Number(reader.int64()) : undefined;
      if (contents === undefined && value === undefined) reader.skip(type, number);
      field = { number, contents, value };
    } catch (cause) {
      throw new RangeError("A message does not parse.", { cause });
    }
    yield { ...field, bytes: message.subarray(start, reader.pos) };
  }
}
