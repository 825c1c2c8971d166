import type { GraphSummary, NodeSummary } from "./graph-summary.js";

/** Where a graph begins to compute every position in another way. */
export interface LengthBorder {
  /** Most ids of prompt and completion together that are computed in the first way. */
  readonly ids: number;
  /** What tells the graph how many there are: the mask's width, or the largest position. */
  readonly by: "mask" | "positions";
}

/** Operators that make a length of a length, or a scalar of what has one element. */
const passing: ReadonlySet<string> = new Set([
  "Cast",
  "Gather",
  "Identity",
  "ReduceMax",
  "Reshape",
  "Slice",
  "Squeeze",
  "Unsqueeze",
]);

/** From how many more than the constant on a comparison's right side it changes; and that of the exchanged sides. */
const comparisons: Readonly<Record<string, readonly [left: number, right: number]>> = {
  Greater: [0, -1],
  GreaterOrEqual: [-1, 0],
  Less: [-1, 0],
  LessOrEqual: [0, -1],
};

/**
 * Looks for a comparison of a run's length with a constant, as longrope has it, which
 * takes other rotations for all positions when the context is longer than the one that
 * the model was first trained on (Phi-3: onnxruntime-genai picks a table by `If`).
 * What was computed on one side of the border is of no use on the other.
 *
 * @param mask the graph's own name of `attention_mask`
 * @param positions of `position_ids`; undefined: it has none
 */
export function findLengthBorder(
  summary: GraphSummary,
  mask: string,
  positions: string | undefined,
): LengthBorder | undefined {
  const producers = new Map<string, NodeSummary>();
  for (const node of summary.nodes) for (const name of node.outputs) producers.set(name, node);
  for (const { operator, inputs } of summary.nodes) {
    const above = comparisons[operator];
    if (above === undefined) continue;
    for (const [side, more] of above.entries()) {
      const graph = { summary, producers, mask, positions };
      const constant = constantOf(inputs[1 - side] ?? "", graph);
      if (constant === undefined) continue;
      const length = lengthOf(inputs[side] ?? "", graph);
      if (length !== undefined) return { ids: constant + more - length.offset, by: length.by };
    }
  }
  return undefined;
}

interface Length {
  readonly by: LengthBorder["by"];
  /** What a value is more than the ids there are. */
  readonly offset: number;
}

interface Searched {
  readonly summary: GraphSummary;
  readonly producers: ReadonlyMap<string, NodeSummary>;
  readonly mask: string;
  readonly positions: string | undefined;
}

function constantOf(value: string, graph: Searched): number | undefined {
  const known = graph.summary.numbers.get(value);
  const node = graph.producers.get(value);
  if (known !== undefined || node === undefined || !passing.has(node.operator)) return known;
  return constantOf(node.inputs[0] ?? "", graph);
}

function lengthOf(value: string, graph: Searched): Length | undefined {
  const { producers, mask, positions } = graph;
  const node = producers.get(value);
  if (node === undefined) return undefined;
  const [first = "", second = ""] = node.inputs;
  if (node.operator === "Shape") {
    return first === mask ? { by: "mask", offset: 0 } : undefined;
  }
  if (node.operator === "ReduceMax" && first === positions) return { by: "positions", offset: -1 };
  if (node.operator === "Add" || node.operator === "Sub") {
    const [left, right] = [constantOf(first, graph), constantOf(second, graph)];
    const length = lengthOf(right === undefined ? second : first, graph);
    if (length === undefined) return undefined;
    if (node.operator === "Add")
      return { ...length, offset: length.offset + (right ?? left ?? NaN) };
    return right === undefined ? undefined : { ...length, offset: length.offset - right };
  }
  return passing.has(node.operator) ? lengthOf(first, graph) : undefined;
}

/** Inputs that are tables of cosines and sines, by operator. */
const tableInputs: Readonly<Record<string, readonly number[]>> = {
  GroupQueryAttention: [7, 8],
  RotaryEmbedding: [2, 3],
};

/** Whether an `If` picks the rotations: which cannot be run right where nobody knows when. */
export function picksRotations({ nodes }: GraphSummary): boolean {
  const picked = new Set(
    nodes.filter(({ operator }) => operator === "If").flatMap((n) => n.outputs),
  );
  return nodes.some(({ operator, inputs }) =>
    (tableInputs[operator] ?? []).some((at) => picked.has(inputs[at] ?? "")),
  );
}
