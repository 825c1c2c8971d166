import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** ONNX `TensorProto.DataType`, as far as we write it. */
export const ElementType = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type ElementType = (typeof ElementType)[keyof typeof ElementType];

/** One attribute of a node. ONNX separates integers from floats, so the kind is named. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  /** A branch of an `If`: it has outputs, sees the values around it, and brings no tensors. */
  | { readonly graph: Graph };

/** One operator call. An absent optional input or output is `""`. */
export interface GraphNode {
  readonly name: string;
  readonly operator: string;
  /** `""` or absent for ONNX itself, `com.microsoft` for onnxruntime's own operators. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/**
 * An input or output of the graph. A dimension is a size or a symbolic name.
 * onnxruntime infers the type of an output which leaves it out.
 */
export interface GraphValue {
  readonly name: string;
  readonly type?: {
    readonly element: ElementType;
    readonly dimensions: readonly (number | string)[];
  };
}

/** The description of a constant tensor; its bytes follow separately. */
export interface TensorHeader {
  readonly name: string;
  readonly element: ElementType;
  readonly dimensions: readonly number[];
}

/** Where the data of a tensor are that is not in the model's file. */
export interface ExternalPlace {
  /** A name in the model's own folder. */
  readonly file: string;
  readonly position: number;
}

/** A graph without its constant tensors. `name` is required of a whole model. */
export interface Graph {
  readonly name?: string;
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

/** What a whole model says beside its graph; a fragment to be merged says nothing. */
export interface ModelHeader {
  readonly irVersion: number;
  readonly producer: string;
  /** Operator set version by domain. */
  readonly operatorSets: Readonly<Record<string, number>>;
}

const elementBytes: Readonly<Record<ElementType, number>> = { 1: 4, 2: 1, 6: 4, 7: 8, 10: 2 };

/** Size of a tensor's raw data in bytes. */
export function tensorByteLength(tensor: TensorHeader): number {
  return tensor.dimensions.reduce((product, size) => product * size, elementBytes[tensor.element]);
}

/**
 * The bytes of a constant tensor inside its graph, up to its raw data. Exactly
 * {@link tensorByteLength} little-endian bytes must follow, then the next tensor.
 */
export function encodeTensorHeader(tensor: TensorHeader): Uint8Array {
  const rawLength = tensorByteLength(tensor);
  const fields = tensorFields(tensor);
  fields.tag(9, WireType.LengthDelimited).uint32(rawLength);
  const head = fields.finish();
  return new BinaryWriter()
    .tag(5, WireType.LengthDelimited)
    .uint32(head.length + rawLength)
    .raw(head)
    .finish();
}

/** The bytes of a constant tensor whose data lie in a file beside the model. */
export function encodeExternalTensor(tensor: TensorHeader, place: ExternalPlace): Uint8Array {
  const fields = tensorFields(tensor).raw(externalPlaceFields(place, tensorByteLength(tensor)));
  return new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(fields.finish()).finish();
}

/** The fields of a constant tensor that stand for its raw data. */
export function externalPlaceFields(place: ExternalPlace, byteLength: number): Uint8Array {
  return externalDataFields([
    ["location", place.file],
    ["offset", String(place.position)],
    ["length", String(byteLength)],
  ]);
}

/** The fields of a constant tensor that say of its data that they are external, and where. */
export function externalDataFields(entries: Iterable<readonly [string, string]>): Uint8Array {
  const fields = new BinaryWriter();
  for (const [key, value] of entries) {
    fields.tag(13, WireType.LengthDelimited).fork();
    fields.tag(1, WireType.LengthDelimited).string(key);
    fields.tag(2, WireType.LengthDelimited).string(value).join();
  }
  // `DataLocation.EXTERNAL`
  return fields.tag(14, WireType.Varint).int32(1).finish();
}

function tensorFields(tensor: TensorHeader): BinaryWriter {
  const fields = new BinaryWriter();
  for (const size of tensor.dimensions) fields.tag(1, WireType.Varint).int64(size);
  fields.tag(2, WireType.Varint).int32(tensor.element);
  fields.tag(8, WireType.LengthDelimited).string(tensor.name);
  return fields;
}

/**
 * The bytes of a `ModelProto` up to the constant tensors of its graph, so that a
 * model larger than memory can be written tensor after tensor.
 *
 * @param header absent for a fragment that is appended to a model
 * @param tensorsByteLength the bytes of all tensors that will follow, headers included
 */
export function encodeModelHeader(
  graph: Graph,
  tensorsByteLength: number,
  header?: ModelHeader,
): Uint8Array {
  const body = encodeGraph(graph);
  const model = new BinaryWriter();
  if (header !== undefined) {
    model.tag(1, WireType.Varint).int64(header.irVersion);
    model.tag(2, WireType.LengthDelimited).string(header.producer);
    for (const [domain, version] of Object.entries(header.operatorSets)) {
      model.tag(8, WireType.LengthDelimited).fork();
      model.tag(1, WireType.LengthDelimited).string(domain);
      model.tag(2, WireType.Varint).int64(version).join();
    }
  }
  return model
    .tag(7, WireType.LengthDelimited)
    .uint32(body.length + tensorsByteLength)
    .raw(body)
    .finish();
}

function encodeGraph(graph: Graph): Uint8Array {
  const writer = new BinaryWriter();
  for (const node of graph.nodes) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writeNode(writer, node);
    writer.join();
  }
  if (graph.name !== undefined) writer.tag(2, WireType.LengthDelimited).string(graph.name);
  for (const [field, values] of [
    [11, graph.inputs],
    [12, graph.outputs],
  ] as const) {
    for (const value of values) {
      writer.tag(field, WireType.LengthDelimited).fork();
      writeValue(writer, value);
      writer.join();
    }
  }
  return writer.finish();
}

function writeNode(writer: BinaryWriter, node: GraphNode): void {
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(node.name);
  writer.tag(4, WireType.LengthDelimited).string(node.operator);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    writer.tag(5, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    writeAttribute(writer, attribute);
    writer.join();
  }
  if (node.domain !== undefined) writer.tag(7, WireType.LengthDelimited).string(node.domain);
}

// Each kind has its own value field, and its number of `AttributeProto.AttributeType` in field 20.
function writeAttribute(writer: BinaryWriter, attribute: Attribute): void {
  if ("float" in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float);
    writer.tag(20, WireType.Varint).int32(1);
  } else if ("int" in attribute) {
    writer.tag(3, WireType.Varint).int64(attribute.int);
    writer.tag(20, WireType.Varint).int32(2);
  } else if ("graph" in attribute) {
    writer.tag(6, WireType.LengthDelimited).bytes(encodeGraph(attribute.graph));
    writer.tag(20, WireType.Varint).int32(5);
  } else {
    for (const value of attribute.ints) writer.tag(8, WireType.Varint).int64(value);
    writer.tag(20, WireType.Varint).int32(7);
  }
}

function writeValue(writer: BinaryWriter, value: GraphValue): void {
  writer.tag(1, WireType.LengthDelimited).string(value.name);
  if (value.type === undefined) return;
  // ValueInfoProto.type = TypeProto { tensor_type = { elem_type, shape = { dim… } } }
  writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int32(value.type.element);
  writer.tag(2, WireType.LengthDelimited).fork();
  for (const dimension of value.type.dimensions) {
    writer.tag(1, WireType.LengthDelimited).fork();
    if (typeof dimension === "number") writer.tag(1, WireType.Varint).int64(dimension);
    else writer.tag(2, WireType.LengthDelimited).string(dimension);
    writer.join();
  }
  writer.join().join().join();
}
