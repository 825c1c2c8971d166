import type { GraphSummary } from "./graph-summary.js";
import {
  ElementType,
  encodeModelHeader,
  encodeTensorHeader,
  type GraphNode,
  type TensorHeader,
} from "./protobuf.js";

/** Output of a patched model: logits of each row's last position only, float [batch, vocabulary]. */
export const lastLogitsOutput = "streamgauge.last_logits";

/**
 * Output of a patched model: the cache rows this run has added, in the cache's own
 * type, [batch, heads, sequence, headDim] with the heads of all keys and values, as
 * {@link newRowsHead} numbers them. One output, because each costs as much as a node.
 */
export const newRowsOutput = "streamgauge.new_rows";

/** The first head of a layer's keys or values in {@link newRowsOutput}. */
export function newRowsHead(heads: number, layer: number, part: "key" | "value"): number {
  return (2 * layer + (part === "key" ? 0 : 1)) * heads;
}

/** What {@link deltaCachePatch} has to know of the model it is appended to. */
export interface DeltaCacheShape {
  readonly layers: number;
  /** Key/value heads, the same in all layers. */
  readonly heads: number;
}

/**
 * What {@link deltaCachePatch} needs, if it can be appended to a model; undefined
 * if not. The model must attend through GroupQueryAttention, which alone reads the
 * valid rows of a longer cache buffer, have Hugging Face's names, and key/value heads
 * that are as many and as long in each layer.
 */
export function deltaCacheShape(summary: GraphSummary): DeltaCacheShape | undefined {
  const { operators, operatorSets, inputs, inputShapes, outputs } = summary;
  const pasts = inputs.filter((name) => /^past_key_values\.\d+\.(key|value)$/.test(name));
  const [heads, ...otherHeads] = new Set(pasts.map((name) => inputShapes.get(name)?.[1]));
  const lengths = new Set(pasts.map((name) => inputShapes.get(name)?.[3]));
  const fits =
    operators.has("GroupQueryAttention") &&
    // Operator set 13 made the axes of ReduceSum an input.
    (operatorSets.get("") ?? 0) >= 13 &&
    ["input_ids", "attention_mask"].every((name) => inputs.includes(name)) &&
    ["logits", "present.0.key", "present.0.value"].every((name) => outputs.includes(name));
  if (!fits || heads === undefined || otherHeads.length > 0 || lengths.size > 1) return undefined;
  return { layers: pasts.length / 2, heads };
}

/**
 * Rows of a cache buffer for a model with {@link deltaCachePatch} that has to hold so many. The attention
 * operator copies a buffer as long as the one it is fed, at every step, so that spare
 * rows cost time; growing copies what is there. An eighth more at most, in steps of 32
 * to 256 rows.
 */
export function deltaCacheCapacity(rows: number): number {
  const step = Math.min(256, Math.max(32, 2 ** Math.floor(Math.log2(Math.max(1, rows) / 8))));
  return Math.ceil(rows / step) * step;
}

/**
 * A serialised `ModelProto` that adds outputs to a model when its bytes are
 * appended to the model's: concatenated protobuf messages merge, so nothing of
 * the model is parsed. An output which is not fetched is not copied, so with
 * {@link newRowsOutput} and {@link lastLogitsOutput} the cache stays where the
 * host keeps it and only what a step has added crosses over. The model's own outputs
 * of the cache are best withdrawn, see {@link withdrawOutputs}.
 *
 * The host feeds buffers with at least as many rows as are valid, so the length
 * of a `present` says nothing: the new rows of a sequence end where the ones in
 * its row of `attention_mask` do. Sequences of one batch may differ in length; a
 * row of the mask is ones, then zeros. Several ids each can be fed to a batch of
 * sequences that begin, with padding behind the shorter ones, whose rows and
 * logits mean nothing.
 */
export function deltaCachePatch({ layers, heads }: DeltaCacheShape): Uint8Array {
  const nodes: GraphNode[] = [];
  const add = (
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: NonNullable<GraphNode["attributes"]> = {},
  ): string => {
    nodes.push({ name: output, operator, inputs, outputs: [output], attributes });
    return output;
  };
  const constants: (TensorHeader & { readonly values: readonly bigint[] })[] = [];
  const constant = (name: string, dimensions: readonly number[], values: readonly bigint[]) => {
    constants.push({
      name: `streamgauge.${name}`,
      element: ElementType.int64,
      dimensions,
      values,
    });
    return `streamgauge.${name}`;
  };
  const zero = constant("zero", [], [0n]);
  const one = constant("one", [], [1n]);

  // [batch, 1]
  const maskAxis = constant("mask_axis", [1], [1n]);
  const ends = add("ReduceSum", ["attention_mask", maskAxis], "streamgauge.ends");
  const shape = add("Shape", ["input_ids"], "streamgauge.input_shape");
  const length = add("Gather", [shape, one], "streamgauge.input_length");
  // Of prompts that begin together, a shorter one has padding behind it.
  const before = add("Sub", [ends, length], "streamgauge.before");
  const starts = add("Max", [before, zero], "streamgauge.starts");
  const offsets = add("Range", [zero, length, one], "streamgauge.offsets");
  const rows = add("Add", [starts, offsets], "streamgauge.rows");
  // [batch, 1, sequence, 1], and the same for each head.
  const column = constant("column", [4], [0n, 1n, -1n, 1n]);
  const indices = add("Reshape", [rows, column], "streamgauge.row_column");
  const everyHead = constant("every_head", [1, heads, 1, 1], Array(heads).fill(0n));
  const places = add("Add", [indices, everyHead], "streamgauge.places");

  // Some models have logits of the last position alone.
  const logitsShape = add("Shape", ["logits"], "streamgauge.logits_shape");
  const logitsLength = add("Gather", [logitsShape, one], "streamgauge.logits_length");
  const counts = add("Min", [ends, logitsLength], "streamgauge.counts");
  const lasts = add("Sub", [counts, one], "streamgauge.lasts");
  const lastLogits = ["logits", lasts];
  const outputs = [add("GatherND", lastLogits, lastLogitsOutput, { batch_dims: { int: 1 } })];
  // Of nodes that could run next, onnxruntime takes those that come last in the graph: the
  // first layer's, so that its `present` can be let go before the next layer makes one.
  const newRows: string[] = [];
  for (let layer = layers - 1; layer >= 0; layer--) {
    for (const part of ["value", "key"]) {
      const inputs = [`present.${layer}.${part}`, places];
      const output = `streamgauge.new.${layer}.${part}`;
      newRows.unshift(add("GatherND", inputs, output, { batch_dims: { int: 2 } }));
    }
  }
  outputs.push(add("Concat", newRows, newRowsOutput, { axis: { int: 1 } }));

  const tensors = constants.flatMap((tensor) => [
    encodeTensorHeader(tensor),
    new Uint8Array(BigInt64Array.from(tensor.values).buffer),
  ]);
  const tensorsByteLength = tensors.reduce((sum, bytes) => sum + bytes.length, 0);
  const graph = { nodes, inputs: [], outputs: outputs.map((name) => ({ name })) };
  return Buffer.concat([encodeModelHeader(graph, tensorsByteLength), ...tensors]);
}
