import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import { StreamgaugeError } from "@streamgauge/core";

/** What can be learnt of a model without reading its weights. */
export interface GraphSummary {
  /** Operators used by the top level of the graph. */
  readonly operators: ReadonlySet<string>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Dimensions by input and output: a size, or a name, which is one length wherever it
   * stands; undefined for one of which nothing is said.
   */
  readonly shapes: ReadonlyMap<string, readonly (number | string | undefined)[]>;
  /** The operator that computes each output. */
  readonly producers: ReadonlyMap<string, string>;
  /** Operator set version by domain; `""` is ONNX itself. */
  readonly operatorSets: ReadonlyMap<string, number>;
}

/**
 * Lists operators, inputs, outputs and operator sets of a serialised ONNX
 * model. Tensors are skipped over by their length, so a large model costs no
 * more than a small one, and the weights are not checked.
 *
 * @param file the name the user knows the model by, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` when the bytes are no ONNX model
 */
export function readGraphSummary(bytes: Uint8Array, file: string): GraphSummary {
  /** Operators by the values that they compute. */
  const computed = new Map<string, string>();
  const shapes = new Map<string, readonly (number | string | undefined)[]>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const operatorSets = new Map<string, number>();
  try {
    eachField(bytes, (field, reader, type) => {
      if (field === 7) readGraph(reader.bytes(), { computed, shapes, inputs, outputs });
      else if (field === 8) readOperatorSet(reader.bytes(), operatorSets);
      else reader.skip(type, field);
    });
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} does not parse as an ONNX model. Build or download it again.`,
      { cause },
    );
  }
  if (computed.size === 0 || outputs.length === 0) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} holds no ONNX graph. Build or download it again.`,
    );
  }
  return {
    operators: new Set(computed.values()),
    inputs,
    outputs,
    shapes,
    producers: new Map([...computed].filter(([name]) => outputs.includes(name))),
    operatorSets,
  };
}

/** Calls back behind the tag of each field of a message; the callback reads or skips the field. */
export function eachField(
  bytes: Uint8Array,
  visit: (field: number, reader: BinaryReader, type: WireType) => void,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    visit(field, reader, type);
  }
}

function readGraph(
  bytes: Uint8Array,
  {
    computed,
    shapes,
    inputs,
    outputs,
  }: {
    readonly computed: Map<string, string>;
    readonly shapes: Map<string, readonly (number | string | undefined)[]>;
    readonly inputs: string[];
    readonly outputs: string[];
  },
): void {
  eachField(bytes, (field, reader, type) => {
    if (field === 1) {
      const node = reader.bytes();
      const operator = readString(node, 4) ?? "";
      eachField(node, (nodeField, nodeReader, nodeType) => {
        if (nodeField === 2) computed.set(nodeReader.string(), operator);
        else nodeReader.skip(nodeType, nodeField);
      });
    } else if (field === 11 || field === 12) {
      const value = reader.bytes();
      const name = readString(value, 1) ?? "";
      shapes.set(name, readShape(value));
      (field === 11 ? inputs : outputs).push(name);
    } else reader.skip(type, field);
  });
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

/** Of a `ValueInfoProto`: its type, which is a tensor's, whose shape has dimensions, which may say something. */
function readShape(value: Uint8Array): (number | string | undefined)[] {
  const dimensions: (number | string | undefined)[] = [];
  eachMessage(value, 2, (type) =>
    eachMessage(type, 1, (tensor) =>
      eachMessage(tensor, 2, (shape) =>
        eachMessage(shape, 1, (dimension) => {
          let said: number | string | undefined;
          eachField(dimension, (field, reader, wire) => {
            if (field === 1) said = Number(reader.int64());
            else if (field === 2) said = reader.string();
            else reader.skip(wire, field);
          });
          dimensions.push(said);
        }),
      ),
    ),
  );
  return dimensions;
}

function eachMessage(
  bytes: Uint8Array,
  wanted: number,
  visit: (message: Uint8Array) => void,
): void {
  eachField(bytes, (field, reader, type) => {
    if (field === wanted) visit(reader.bytes());
    else reader.skip(type, field);
  });
}

/** The last of a message's strings under one field number. */
export function readString(bytes: Uint8Array, wanted: number): string | undefined {
  let found: string | undefined;
  eachField(bytes, (field, reader, type) => {
    if (field === wanted) found = reader.string();
    else reader.skip(type, field);
  });
  return found;
}
