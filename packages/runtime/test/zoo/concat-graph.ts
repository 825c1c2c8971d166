import {
  GraphBuilder,
  microsoft,
  type BuiltGraph,
  type NodeOptions,
} from "../../src/onnx/build/graph-builder.js";
import type { WeightSource } from "../../src/onnx/build/weight-source.js";
import { ElementType, type Attribute, type GraphValue } from "../../src/onnx/protobuf.js";

/** How the numbers of a {@link ConcatGraph} are stored. */
export type ZooFormat = "fp32" | "fp16" | "q4" | "q4f16" | "dynamic";

/** `TensorProto.DataType` of a bool. */
export const booleanElement = 9 as number as ElementType;

/** Writes down the nodes of a zoo's graph as torch's exporter does: named after what they are. */
export class ConcatGraph {
  readonly format: ZooFormat;
  readonly float: typeof ElementType.float32 | typeof ElementType.float16;
  readonly #builder: GraphBuilder;
  readonly #scope: string;
  readonly #tensors = new Set<string>();
  #nodes = 0;

  /** @param scope stands before the names of all its nodes */
  constructor(format: ZooFormat, scope: string) {
    this.format = format;
    this.#scope = scope;
    const isHalf = format === "fp16" || format === "q4f16";
    this.float = isHalf ? ElementType.float16 : ElementType.float32;
    this.#builder = new GraphBuilder({ float: this.float });
  }

  op(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { readonly output?: string } & Pick<NodeOptions, "domain"> = {},
  ): string {
    const { output, ...rest } = options;
    const [first] = this.several(operator, inputs, output ?? 1, attributes, rest);
    return first;
  }

  /** As {@link op}, for an operator of several outputs: how many, or what they are called. */
  several(
    operator: string,
    inputs: readonly string[],
    outputs: number | string | readonly [string, ...string[]],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: Pick<NodeOptions, "domain"> = {},
  ): [string, ...string[]] {
    const name = `${this.#scope}/${operator}_${this.#nodes++}`;
    const count = typeof outputs === "number" ? outputs - 1 : 0;
    const further = Array.from({ length: count }, (_, at) => `${name}_output_${at + 1}`);
    let names: [string, ...string[]] = [`${name}_output_0`, ...further];
    if (typeof outputs === "string") names = [outputs];
    else if (typeof outputs !== "number") names = [...outputs];
    this.#builder.node(operator, inputs, names, { ...options, attributes });
    return names;
  }

  cast(value: string, to: ElementType): string {
    return this.op("Cast", [value], { to: { int: to } });
  }

  /** Integers [n]. */
  ints(...values: number[]): string {
    const name = `ints(${values.join()})`;
    return this.#once(name, () => this.#builder.integers(name, values));
  }

  /** An integer []. */
  int(value: number): string {
    return this.op("Squeeze", [this.ints(value), this.ints(0)]);
  }

  /** One number [1]. */
  number(value: number): string {
    const name = `number(${value})`;
    return this.#once(name, () => this.#builder.floats(name, [1], () => [Float32Array.of(value)]));
  }

  /** Numbers that are computed here. */
  numbers(name: string, dimensions: readonly number[], values: () => Float32Array): string {
    return this.#once(name, () => this.#builder.floats(name, dimensions, () => [values()]));
  }

  /** Random numbers, which depend on the name alone, from −most to most. */
  weight(name: string, dimensions: readonly number[], most: number): string {
    const count = dimensions.reduce((product, size) => product * size, 1);
    return this.numbers(name, dimensions, () => spread(name, count, most));
  }

  /** input · a random matrix [columns, rows], stored as the format says. */
  linear(input: string, name: string, columns: number, rows: number, most: number): string {
    if (this.format === "q4" || this.format === "q4f16") {
      const parts = [{ name, rows }];
      const { packed, scales } = this.#onceMatrix(name, () =>
        this.#builder.quantisedWeight(name, parts, columns, 4),
      );
      return this.op(
        "MatMulNBits",
        [input, packed, scales],
        {
          K: { int: columns },
          N: { int: rows },
          bits: { int: 4 },
          block_size: { int: 32 },
        },
        { domain: microsoft },
      );
    }
    if (this.format === "dynamic") return this.#dynamic(input, name, columns, rows, most);
    return this.op("MatMul", [input, this.weight(name, [columns, rows], most)]);
  }

  /** As onnxruntime's quantize_dynamic writes it. */
  #dynamic(input: string, name: string, columns: number, rows: number, most: number): string {
    const uint8 = (value: string): string => this.cast(value, ElementType.uint8);
    const scale = most / 127;
    const levels = this.numbers(`${name}_quantized`, [columns, rows], () =>
      spread(name, columns * rows, most).map((value) => Math.round(value / scale) + 128),
    );
    const [values, scaleOfInput, zero] = this.several("DynamicQuantizeLinear", [input], 3);
    const middle = this.op("Squeeze", [uint8(this.number(128)), this.ints(0)]);
    const sums = this.op("MatMulInteger", [values, uint8(levels), zero as string, middle]);
    const scales = this.op("Mul", [scaleOfInput as string, this.number(scale)]);
    return this.op("Mul", [this.cast(sums, this.float), scales]);
  }

  build(
    inputs: readonly GraphValue[],
    outputs: readonly GraphValue[],
    operatorSet: number,
  ): BuiltGraph {
    return this.#builder.build(this.#scope, inputs, outputs, {
      "": operatorSet,
      ...(this.format.startsWith("q4") && { [microsoft]: 1 }),
    });
  }

  #once(name: string, add: () => string): string {
    if (this.#tensors.has(name)) return name;
    this.#tensors.add(name);
    return add();
  }

  #onceMatrix<Matrix>(name: string, add: () => Matrix): Matrix {
    if (this.#tensors.has(name)) throw new Error(`The matrix ${name} is there already.`);
    this.#tensors.add(name);
    return add();
  }
}

/** What a quantised matrix of a {@link ConcatGraph} is made of. */
export const zooWeights: WeightSource = async function* pieces(name, shape) {
  const [rows = 1, columns = 1] = shape;
  yield await Promise.resolve(spread(name, rows * columns, mostOfQuantised(columns)));
};

/** Bound that makes a product's numbers about as large as its input's. */
export function mostOfQuantised(columns: number): number {
  return Math.sqrt(3 / columns) * 1.5;
}

/** Numbers from −most to most that depend on the name and the place alone. */
function spread(name: string, count: number, most: number): Float32Array<ArrayBuffer> {
  let state = Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) | 0, 7);
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 2 ** 31) * most;
  });
}
