import { eachField, eachMessage, readIntegers } from "./message-fields.js";

/** A constant tensor of a graph. */
export interface GraphTensor {
  /** ONNX's number of the element type. */
  readonly element: number;
  readonly dimensions: readonly number[];
  /** Of its numbers. */
  readonly bytes: number;
  /** The whole `TensorProto`. */
  readonly message: Uint8Array;
}

/** The constant tensors of a graph's top level by name, in the file's order. */
export function readTensors(graph: Uint8Array): Map<string, GraphTensor> {
  const tensors = new Map<string, GraphTensor>();
  eachMessage(graph, 7, (inner) =>
    eachMessage(inner, 5, (message) => {
      let name = "";
      let element = 0;
      const dimensions: number[] = [];
      eachField(message, (field, reader, type) => {
        if (field === 1) dimensions.push(...readIntegers(reader, type));
        else if (field === 2) element = reader.int32();
        else if (field === 8) name = reader.string();
        else reader.skip(type, field);
      });
      const elements = dimensions.reduce((product, size) => product * size, 1);
      tensors.set(name, {
        element,
        dimensions,
        bytes: elements * bytesOfElement(element),
        message,
      });
    }),
  );
  return tensors;
}

/** By ONNX's number of the element type, its bytes, where they are not 4. */
const elementBytes: Readonly<Record<number, number>> = {
  2: 1,
  3: 1,
  7: 8,
  9: 1,
  10: 2,
  11: 8,
  16: 2,
  21: 0.5,
  22: 0.5,
};

export function bytesOfElement(element: number): number {
  return elementBytes[element] ?? 4;
}
