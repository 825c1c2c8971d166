import { WireType, type BinaryReader } from "@bufbuild/protobuf/wire";
import { StreamgaugeError } from "@streamgauge/core";
import { eachField, readString } from "./message-fields.js";

const lookups: ReadonlySet<string> = new Set(["Gather", "GatherBlockQuantized"]);

/** Operators whose first input keeps its rows, or its ids, in what they compute. */
const passing: ReadonlySet<string> = new Set([
  "Cast",
  "DequantizeLinear",
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
]);

/**
 * How many rows the table has in which a graph looks its ids up; undefined where it does not
 * do that at its top level, or in no constant table.
 *
 * @param graph a serialised ONNX model
 * @param idsInput the graph's name of its ids
 * @param file the name the user knows the model by, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` when the bytes are no ONNX model
 */
export function embeddingRows(
  graph: Uint8Array,
  idsInput: string,
  file: string,
): number | undefined {
  const rows = new Map<string, number>();
  const firstInputs = new Map<string, string>();
  const tables: { readonly table: string; readonly ids: string }[] = [];
  const visitGraph = (field: number, reader: BinaryReader, type: WireType): void => {
    if (field === 1) {
      const node = reader.bytes();
      const operator = readString(node, 4) ?? "";
      const [first = "", second = ""] = stringsOf(node, 1);
      if (lookups.has(operator)) tables.push({ table: first, ids: second });
      if (passing.has(operator)) {
        for (const output of stringsOf(node, 2)) firstInputs.set(output, first);
      }
    } else if (field === 5) {
      const tensor = reader.bytes();
      rows.set(readString(tensor, 8) ?? "", firstDimension(tensor));
    } else reader.skip(type, field);
  };
  try {
    eachField(graph, (field, reader, type) => {
      if (field === 7) eachField(reader.bytes(), visitGraph);
      else reader.skip(type, field);
    });
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} does not parse as an ONNX model. Build or download it again.`,
      { cause },
    );
  }
  const originOf = (name: string): string => {
    let origin = name;
    // In no graph that runs, but perhaps in this one, a value comes of itself.
    for (let steps = firstInputs.size; steps > 0; steps--) {
      const input = firstInputs.get(origin);
      if (input === undefined) break;
      origin = input;
    }
    return origin;
  };
  const found = tables
    .filter(({ ids }) => originOf(ids) === idsInput)
    .map(({ table }) => rows.get(originOf(table)) ?? 0)
    .filter((count) => count > 0);
  return found.length > 0 ? Math.min(...found) : undefined;
}

function stringsOf(message: Uint8Array, wanted: number): string[] {
  const found: string[] = [];
  eachField(message, (field, reader, type) => {
    if (field === wanted) found.push(reader.string());
    else reader.skip(type, field);
  });
  return found;
}

/** Of a `TensorProto`, whose dimensions may be packed. */
function firstDimension(tensor: Uint8Array): number {
  let first: number | undefined;
  eachField(tensor, (field, reader, type) => {
    if (field !== 1 || first !== undefined) return void reader.skip(type, field);
    const end = type === WireType.LengthDelimited ? reader.uint32() + reader.pos : 0;
    first = Number(reader.int64());
    if (end > 0) reader.pos = end;
  });
  return first ?? 0;
}
