import { basename } from "node:path";

import { StreamgaugeError } from "@streamgauge/core";

import type { BuiltGraph } from "./graph-builder.js";
import {
  encodeExternalTensor,
  encodeModelHeader,
  encodeTensorHeader,
  tensorByteLength,
} from "../protobuf.js";

/** A place in one of a model's files, which its path names. */
export interface Place {
  readonly file: string;
  readonly position: number;
}

/** Where every byte of a model goes that is not yet written. */
export interface ModelLayout {
  readonly files: readonly string[];
  /** All of the model's files together. */
  readonly totalBytes: number;
  /** Bytes that are known already. */
  readonly headers: readonly (Place & { readonly bytes: Uint8Array })[];
  /** Where the data of each tensor begin, by its name. */
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * A serialised protobuf message, and so a model with its weights inside, ends at
 * 2 GiB; 16 MiB of them are left to the graph and what is appended to it.
 */
const maximumInnerBytes = 2 ** 31 - 2 ** 24;

/** Smaller tensors stay in the model's file: onnxruntime reads some while it optimises. */
const leastExternalBytes = 1024;

/** External data begin on a page, so that they can be mapped. */
const pageBytes = 4096;

/**
 * Lays out an ONNX file at `path`, with its weights inside or in `<path>_data`.
 * All lengths follow from the shapes.
 *
 * @param external whether weights go into a file of their own; undefined: when they must
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for weights that must and may not
 */
export function layOutModel(
  path: string,
  { graph, tensorGroups, operatorSets }: BuiltGraph,
  external: boolean | undefined,
): ModelLayout {
  const tensors = tensorGroups.flatMap((group) => group.tensors);
  const weightsBytes = tensors.reduce((sum, tensor) => sum + tensorByteLength(tensor), 0);
  const apart = external ?? weightsBytes > maximumInnerBytes;
  if (!apart && weightsBytes > maximumInnerBytes) {
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `The weights of ${basename(path)} have ${weightsBytes} bytes, and an ONNX file holds ` +
        `${maximumInnerBytes}. Leave externalData out, or choose a smaller dtype.`,
    );
  }

  const dataFile = `${path}_data`;
  const places = new Map<string, Place>();
  let dataBytes = 0;
  const entries = tensors.map((tensor) => {
    const byteLength = tensorByteLength(tensor);
    if (!apart || byteLength < leastExternalBytes) {
      return { tensor, header: encodeTensorHeader(tensor), innerBytes: byteLength };
    }
    const position = Math.ceil(dataBytes / pageBytes) * pageBytes;
    dataBytes = position + byteLength;
    places.set(tensor.name, { file: dataFile, position });
    const header = encodeExternalTensor(tensor, { file: basename(dataFile), position });
    return { tensor, header, innerBytes: 0 };
  });
  const encodedBytes = entries.reduce(
    (sum, { header, innerBytes }) => sum + header.length + innerBytes,
    0,
  );
  const start = encodeModelHeader(graph, encodedBytes, {
    irVersion: 8,
    producer: "streamgauge",
    operatorSets,
  });
  const headers = [{ file: path, position: 0, bytes: start }];
  let position = start.length;
  for (const { tensor, header, innerBytes } of entries) {
    headers.push({ file: path, position, bytes: header });
    position += header.length;
    if (!places.has(tensor.name)) places.set(tensor.name, { file: path, position });
    position += innerBytes;
  }
  return {
    files: dataBytes > 0 ? [path, dataFile] : [path],
    totalBytes: position + dataBytes,
    headers,
    places,
  };
}
