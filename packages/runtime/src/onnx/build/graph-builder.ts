import { StreamgaugeError } from "@streamgauge/core";

import { blockSize, blocksPerRow, quantiseRows } from "./block-quantisation.js";
import { float32ToFloat16, largestFloat16, roundToFloat16 } from "../half-precision.js";
import type { WeightSource } from "./weight-source.js";
import type { NumberFormat } from "../model-dtype.js";
import {
  ElementType,
  type Attribute,
  type Graph,
  type GraphNode,
  type GraphValue,
  type TensorHeader,
} from "../protobuf.js";

/** onnxruntime's own operator domain. */
export const microsoft = "com.microsoft";

/** Constant tensors of a graph that one pass over the weights makes. */
export interface TensorGroup {
  readonly tensors: readonly TensorHeader[];
  /** What it takes from the source. */
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /**
   * Little-endian row-major bytes, piece after piece: each time one for every
   * tensor, in their order.
   */
  readonly pieces: (source: WeightSource) => AsyncIterable<readonly Uint8Array[]>;
}

/** A whole graph: its structure, and the tensors to be written after it in this order. */
export interface BuiltGraph {
  readonly graph: Graph;
  readonly tensorGroups: readonly TensorGroup[];
  /** Operator set version by domain. */
  readonly operatorSets: Readonly<Record<string, number>>;
}

/** What a node may have beside its inputs and outputs. */
export interface NodeOptions {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A weight of the source: rows of a matrix, or elements of a vector. */
export interface WeightPart {
  readonly name: string;
  readonly rows: number;
}

/** Names of a quantised matrix's tensors; see `QuantisedRows` for what is in them. */
export interface QuantisedMatrix {
  /** uint8 [rows, blocks, bytes of a block] */
  readonly packed: string;
  /** float [rows, blocks] */
  readonly scales: string;
}

/** Collects nodes and tensors in the order they are added. Tensor names are value names. */
export class GraphBuilder {
  readonly format: NumberFormat;
  readonly #nodes: GraphNode[] = [];
  readonly #tensorGroups: TensorGroup[] = [];

  constructor(format: NumberFormat) {
    this.format = format;
  }

  /** Adds a node named for its first output, and returns that output. */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly [string, ...string[]],
    options: NodeOptions = {},
  ): string {
    const [name] = outputs;
    this.#nodes.push({ name, operator, inputs, outputs, ...options });
    return name;
  }

  /** Adds a tensor of 64-bit integers, and returns its name. */
  integers(name: string, values: readonly number[]): string {
    this.#tensorGroups.push({
      tensors: [{ name, element: ElementType.int64, dimensions: [values.length] }],
      weights: [],
      async *pieces() {
        yield [bytesOf(BigInt64Array.from(values, BigInt))];
      },
    });
    return name;
  }

  /** Adds a tensor of the graph's floats computed here, in pieces, and returns its name. */
  floats(
    name: string,
    dimensions: readonly number[],
    values: () => Iterable<Float32Array>,
  ): string {
    const { float } = this.format;
    this.#tensorGroups.push({
      tensors: [{ name, element: float, dimensions }],
      weights: [],
      async *pieces() {
        for (const piece of values()) yield [floatBytes(piece, float)];
      },
    });
    return name;
  }

  /** Adds a scalar of the graph's floats, and returns its name. */
  number(name: string, value: number): string {
    return this.floats(name, [], () => [Float32Array.of(value)]);
  }

  /**
   * Adds one tensor of the graph's floats, stacked of several weights along the
   * first axis; returns its name.
   *
   * @param convert what becomes of each number of the checkpoint; default: nothing
   */
  weight(
    name: string,
    parts: readonly WeightPart[],
    columns: readonly number[] = [],
    convert?: (value: number) => number,
  ): string {
    const { float } = this.format;
    const weights = parts.map((part) => ({ name: part.name, shape: [part.rows, ...columns] }));
    this.#tensorGroups.push({
      tensors: [{ name, element: float, dimensions: [rowsOf(parts), ...columns] }],
      weights,
      async *pieces(source) {
        for (const weight of weights) {
          for await (const piece of source(weight.name, weight.shape)) {
            const values = convert === undefined ? piece : piece.map(convert);
            checkRange(weight.name, values, float);
            yield [floatBytes(values, float)];
          }
        }
      },
    });
    return name;
  }

  /** As {@link weight}, for a matrix in quantised form. */
  quantisedWeight(
    name: string,
    parts: readonly WeightPart[],
    columns: number,
    bits: 4 | 8,
  ): QuantisedMatrix {
    const { float } = this.format;
    const [rows, blocks] = [rowsOf(parts), blocksPerRow(columns)];
    const matrix = { packed: `${name}.q${bits}`, scales: `${name}.scales` };
    const blockBytes = (blockSize * bits) / 8;
    const roundScale = float === ElementType.float16 ? roundToFloat16 : Math.fround;
    const weights = parts.map((part) => ({ name: part.name, shape: [part.rows, columns] }));
    this.#tensorGroups.push({
      weights,
      tensors: [
        { name: matrix.packed, element: ElementType.uint8, dimensions: [rows, blocks, blockBytes] },
        { name: matrix.scales, element: float, dimensions: [rows, blocks] },
      ],
      async *pieces(source) {
        for (const weight of weights) {
          for await (const values of source(weight.name, weight.shape)) {
            checkRange(weight.name, values, float);
            const { packed, scales } = quantiseRows(values, columns, bits, roundScale);
            yield [packed, floatBytes(scales, float)];
          }
        }
      },
    });
    return matrix;
  }

  /** The finished graph. */
  build(
    name: string,
    inputs: readonly GraphValue[],
    outputs: readonly GraphValue[],
    operatorSets: BuiltGraph["operatorSets"],
  ): BuiltGraph {
    return {
      graph: { name, nodes: this.#nodes, inputs, outputs },
      tensorGroups: this.#tensorGroups,
      operatorSets,
    };
  }
}

function rowsOf(parts: readonly WeightPart[]): number {
  return parts.reduce((sum, part) => sum + part.rows, 0);
}

/** A weight that became an infinity would make every token NaN. */
function checkRange(name: string, values: Float32Array, float: NumberFormat["float"]): void {
  if (float !== ElementType.float16) return;
  const large = values.find((value) => Math.abs(value) > largestFloat16);
  if (large === undefined) return;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `Tensor ${name} holds ${large}, and half precision ends at ${largestFloat16}. Choose a dtype ` +
      `that does not compute in it: fp32, q8 or q4.`,
  );
}

function floatBytes(values: Float32Array, float: NumberFormat["float"]): Uint8Array {
  return bytesOf(float === ElementType.float16 ? float32ToFloat16(values) : values);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
