import { StreamgaugeError } from "@streamgauge/core";
import { eachField, eachMessage, readIntegers, readString } from "./message-fields.js";

/** What can be learnt of a model without reading its weights. */
export interface GraphSummary {
  /** Operators used by the graph, its branches and the model's own functions. */
  readonly operators: ReadonlySet<string>;
  /** What has to be fed: not what has a value in the file. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Dimensions by input and output: a size, or a name, which is one length wherever it
   * stands; undefined for one of which nothing is said.
   */
  readonly shapes: ReadonlyMap<string, readonly (number | string | undefined)[]>;
  /** ONNX's number of the element type by input and output; none of what is no tensor. */
  readonly elements: ReadonlyMap<string, number>;
  /** The top level's nodes, in the file's order. */
  readonly nodes: readonly NodeSummary[];
  /** Single numbers that have a value in the file, by name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Operator set version by domain; `""` is ONNX itself. */
  readonly operatorSets: ReadonlyMap<string, number>;
}

/** One call of an operator. An absent optional input or output is `""`. */
export interface NodeSummary {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values from outside that its branches read, as far as names tell. */
  readonly branchInputs: readonly string[];
  /** Attributes that are an integer. */
  readonly integers: Readonly<Record<string, number>>;
}

/**
 * Lists what a serialised ONNX model consists of. Tensors are skipped over by
 * their length, so a large model costs no more than a small one, and the weights are
 * not checked.
 *
 * @param file the name the user knows the model by, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` when the bytes are no ONNX model
 */
export function readGraphSummary(bytes: Uint8Array, file: string): GraphSummary {
  const graph = emptyGraph();
  const operatorSets = new Map<string, number>();
  try {
    eachField(bytes, (field, reader, type) => {
      if (field === 7) readGraph(reader.bytes(), graph);
      else if (field === 8) readOperatorSet(reader.bytes(), operatorSets);
      // ModelProto.functions, FunctionProto.node
      else if (field === 25) eachMessage(reader.bytes(), 7, (node) => void readNode(node, graph));
      else reader.skip(type, field);
    });
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} does not parse as an ONNX model. Build or download it again.`,
      { cause },
    );
  }
  const { nodes, outputs, constants, inputs } = graph;
  if (nodes.length === 0 || outputs.length === 0) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} holds no ONNX graph. Build or download it again.`,
    );
  }
  return { ...graph, inputs: inputs.filter((name) => !constants.has(name)), operatorSets };
}

interface ReadGraph {
  readonly operators: Set<string>;
  readonly nodes: NodeSummary[];
  readonly inputs: string[];
  readonly outputs: string[];
  readonly shapes: Map<string, readonly (number | string | undefined)[]>;
  readonly elements: Map<string, number>;
  readonly numbers: Map<string, number>;
  /** Tensors of the file. */
  readonly constants: Set<string>;
}

function emptyGraph(): ReadGraph {
  return {
    operators: new Set(),
    nodes: [],
    inputs: [],
    outputs: [],
    shapes: new Map(),
    elements: new Map(),
    numbers: new Map(),
    constants: new Set(),
  };
}

function readGraph(bytes: Uint8Array, graph: ReadGraph): void {
  eachField(bytes, (field, reader, type) => {
    if (field === 1) graph.nodes.push(readNode(reader.bytes(), graph));
    else if (field === 5) {
      const tensor = reader.bytes();
      const name = readString(tensor, 8) ?? "";
      graph.constants.add(name);
      const value = readNumber(tensor);
      if (value !== undefined) graph.numbers.set(name, value);
    } else if (field === 11 || field === 12) {
      const value = reader.bytes();
      const name = readString(value, 1) ?? "";
      const { element, shape } = readTensorType(value);
      graph.shapes.set(name, shape);
      if (element !== undefined) graph.elements.set(name, element);
      (field === 11 ? graph.inputs : graph.outputs).push(name);
    } else reader.skip(type, field);
  });
}

/** Reads a node, and puts its operators, and the number that it may be, into the graph. */
function readNode(bytes: Uint8Array, { operators, numbers }: ReadGraph): NodeSummary {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const branchInputs: string[] = [];
  const integers: Record<string, number> = {};
  let operator = "";
  let constant: number | undefined;
  eachField(bytes, (field, reader, type) => {
    if (field === 1) inputs.push(reader.string());
    else if (field === 2) outputs.push(reader.string());
    else if (field === 4) operator = reader.string();
    else if (field === 5) {
      const attribute = readAttribute(reader.bytes());
      if (attribute.integer !== undefined) integers[attribute.name] = attribute.integer;
      constant ??= attribute.number;
      for (const graph of attribute.graphs) {
        const branch = emptyGraph();
        readGraph(graph, branch);
        for (const name of branch.operators) operators.add(name);
        for (const node of branch.nodes) branchInputs.push(...node.inputs, ...node.branchInputs);
        branchInputs.push(...branch.outputs);
      }
    } else reader.skip(type, field);
  });
  operators.add(operator);
  const [output] = outputs;
  if (operator === "Constant" && output !== undefined && constant !== undefined) {
    numbers.set(output, constant);
  }
  return { operator, inputs, outputs, branchInputs, integers };
}

interface ReadAttribute {
  readonly name: string;
  readonly integer: number | undefined;
  /** What a `Constant` with this attribute is, if it is a single number. */
  readonly number: number | undefined;
  readonly graphs: readonly Uint8Array[];
}

function readAttribute(bytes: Uint8Array): ReadAttribute {
  let name = "";
  let integer: number | undefined;
  let number: number | undefined;
  const graphs: Uint8Array[] = [];
  const list: number[] = [];
  eachField(bytes, (field, reader, type) => {
    if (field === 1) name = reader.string();
    else if (field === 2) number = reader.float();
    else if (field === 3) integer = number = Number(reader.int64());
    else if (field === 5) number = readNumber(reader.bytes());
    else if (field === 6 || field === 11) graphs.push(reader.bytes());
    else if (field === 8) list.push(...readIntegers(reader, type));
    else reader.skip(type, field);
  });
  return { name, integer, number: number ?? (list.length === 1 ? list[0] : undefined), graphs };
}

/** The value of a `TensorProto` that is a single number, integer or float of 32 bits. */
function readNumber(tensor: Uint8Array): number | undefined {
  let element = 0;
  let raw: Uint8Array | undefined;
  const sizes: number[] = [];
  const values: number[] = [];
  eachField(tensor, (field, reader, type) => {
    if (field === 1) sizes.push(...readIntegers(reader, type));
    else if (field === 2) element = reader.int32();
    // Only tensors of one number are read: this is asked of every weight.
    else if ((field === 5 || field === 7) && isSingle(sizes)) {
      values.push(...readIntegers(reader, type));
    } else if (field === 9) raw = reader.bytes();
    else reader.skip(type, field);
  });
  if (!isSingle(sizes)) return undefined;
  if (raw === undefined) return values[0];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (element === elementNumbers.float32 && raw.length === 4) return view.getFloat32(0, true);
  if (element === elementNumbers.int32 && raw.length === 4) return view.getInt32(0, true);
  if (element === elementNumbers.int64 && raw.length === 8)
    return Number(view.getBigInt64(0, true));
  return undefined;
}

function isSingle(sizes: readonly number[]): boolean {
  return sizes.every((size) => size === 1);
}

/** ONNX's `TensorProto.DataType`, of what inputs of decoders may be, by onnxruntime's names. */
export const elementNumbers = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

/** What an element type is called in messages; undefined: of what is no tensor. */
export function elementName(element: number | undefined): string {
  const known = Object.entries(elementNumbers).find(([, number]) => number === element);
  return known?.[0] ?? (element === undefined ? "no tensor" : `elements of ONNX's type ${element}`);
}

function readOperatorSet(bytes: Uint8Array, operatorSets: Map<string, number>): void {
  let domain = "";
  let version = 0;
  eachField(bytes, (field, reader, type) => {
    if (field === 1) domain = reader.string();
    else if (field === 2) version = Number(reader.int64());
    else reader.skip(type, field);
  });
  // "ai.onnx" is the long name of the default domain.
  operatorSets.set(domain === "ai.onnx" ? "" : domain, version);
}

/** Element type and shape of a `ValueInfoProto`. A dimension is a size, a name, or undefined. */
function readTensorType(value: Uint8Array): {
  readonly element: number | undefined;
  readonly shape: (number | string | undefined)[];
} {
  const shape: (number | string | undefined)[] = [];
  let element: number | undefined;
  eachMessage(value, 2, (valueType) =>
    eachMessage(valueType, 1, (tensor) =>
      eachField(tensor, (field, reader, type) => {
        if (field === 1) element = reader.int32();
        else if (field === 2)
          eachMessage(reader.bytes(), 1, (bytes) => shape.push(readSize(bytes)));
        else reader.skip(type, field);
      }),
    ),
  );
  return { element, shape };
}

function readSize(dimension: Uint8Array): number | string | undefined {
  let said: number | string | undefined;
  eachField(dimension, (field, reader, type) => {
    if (field === 1) said = Number(reader.int64());
    else if (field === 2) said = reader.string();
    else reader.skip(type, field);
  });
  return said === "" ? undefined : said;
}
