import type { GraphSummary } from "./graph-summary.js";
import { eachMessage, eachField, readIntegers, readString } from "./message-fields.js";

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
 * @param summary of the same
 * @param idsInput the graph's name of its ids
 */
export function embeddingRows(
  graph: Uint8Array,
  { nodes }: GraphSummary,
  idsInput: string,
): number | undefined {
  const firstInputs = new Map<string, string>();
  for (const { operator, inputs, outputs } of nodes) {
    const [output] = outputs;
    if (passing.has(operator) && output !== undefined) firstInputs.set(output, inputs[0] ?? "");
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
  const tables = nodes
    .filter(
      ({ operator, inputs }) => lookups.has(operator) && originOf(inputs[1] ?? "") === idsInput,
    )
    .map(({ inputs }) => originOf(inputs[0] ?? ""));
  const rows = rowsOf(graph, new Set(tables));
  return rows.length > 0 ? Math.min(...rows) : undefined;
}

/** The first dimension of those of a graph's tensors that have these names. */
function rowsOf(graph: Uint8Array, names: ReadonlySet<string>): number[] {
  const rows: number[] = [];
  eachMessage(graph, 7, (inner) =>
    eachMessage(inner, 5, (tensor) => {
      if (!names.has(readString(tensor, 8) ?? "")) return;
      const dimensions: number[] = [];
      eachField(tensor, (field, reader, type) => {
        if (field === 1) dimensions.push(...readIntegers(reader, type));
        else reader.skip(type, field);
      });
      const [first = 0] = dimensions;
      if (first > 0) rows.push(first);
    }),
  );
  return rows;
}
