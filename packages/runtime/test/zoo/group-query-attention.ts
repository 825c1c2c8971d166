import { microsoft } from "../../src/onnx/build/graph-builder.js";
import type { Attribute } from "../../src/onnx/protobuf.js";
import { mostOfQuantised, type ConcatGraph } from "./concat-graph.js";
import type { Shared } from "./group-query-inputs.js";
import {
  groupQuerySizes,
  headWidthOf,
  keyHeadsOf,
  type GroupQueryLayout,
} from "./group-query-layout.js";
import { sizeOf } from "./lengths.js";

const { width, heads, layers } = groupQuerySizes;

/** From what a layer's norm gave to what its heads saw. */
export function addAttention(
  graph: ConcatGraph,
  layout: GroupQueryLayout,
  shared: Shared,
  layer: number,
  input: string,
): string {
  const { turning = "inside" } = layout;
  const at = `model.layers.${layer}.self_attn`;
  const most = mostOfQuantised(width);
  const size = headWidthOf(layout, layer);
  const keyHeads = keyHeadsOf(layout, layer);
  const [queryWidth, keyWidth] = [heads * size, keyHeads * size];
  const [cosines, sines] = shared.tables(size);
  // Sharp enough that ids depend on what is far behind.
  const project = (part: string, rows: number): string =>
    graph.linear(input, `${at}.${part}_proj`, width, rows, most * 2);
  const prepared = (part: string, count: number): string => {
    let product = project(part, count * size);
    if (layout.headNorms === true || layout.staticBatch === "a Reshape") {
      const outer = layout.staticBatch === "a Reshape" ? 1 : 0;
      const apart = graph.op("Reshape", [product, graph.ints(outer, -1, count, size)]);
      const normed = addNorm(graph, `${at}.${part}_norm`, apart, size, 1.6);
      product = graph.op("Reshape", [normed, graph.ints(outer, -1, count * size)]);
    }
    if (turning === "inside") return product;
    return graph.op(
      "RotaryEmbedding",
      [product, shared.positions ?? "", cosines, sines],
      { num_heads: { int: count }, rotary_embedding_dim: { int: size } },
      { domain: microsoft },
    );
  };
  const isReader = layout.sharesCache === true && layer === layers - 1;
  const newRows = (): string[] => {
    if (layout.packed === true) return [project("qkv", queryWidth + 2 * keyWidth), "", ""];
    const values = project("v", keyWidth);
    if (!isReader) return [prepared("q", heads), prepared("k", keyHeads), values];
    const none = graph.op("Slice", [values, graph.ints(0), graph.ints(0), graph.ints(1)]);
    return [prepared("q", heads), none, none];
  };
  const pasts = ["key", "value"].map((part) => pastOf(graph, layout, layer, part, isReader));
  const presents = ["key", "value"].map((part) =>
    // Without outputs for what it does not write, onnxruntime 1.30 crashes.
    isReader ? `${at}.unused.${part}` : `present.${layer}.${part}`,
  );
  const output = `${at}.heads`;
  const scale = { float: 1 / Math.sqrt(size) };
  const rows = newRows();
  const bias = shared.bias ?? "";
  const isCausal = { int: layout.bias === "attribute" ? 1 : 0 };

  if (layout.attention === "standard") {
    graph.several("Attention", withoutTail([...rows, bias, ...pasts]), [output, ...presents], {
      q_num_heads: { int: heads },
      kv_num_heads: { int: keyHeads },
      scale,
      is_causal: isCausal,
      ...(layout.softcap !== undefined && { softcap: { float: layout.softcap } }),
    });
    return output;
  }
  if (layout.attention === "multi-head") {
    const inputs = withoutTail([...rows, "", "", bias, ...pasts]);
    const attributes = { num_heads: { int: heads }, scale, unidirectional: isCausal };
    graph.several("MultiHeadAttention", inputs, [output, ...presents], attributes, {
      domain: microsoft,
    });
    return output;
  }
  const inputs = [
    ...rows,
    ...pasts,
    shared.last,
    shared.total,
    ...(turning === "inside" ? [cosines, sines] : ["", ""]),
    layout.givesPositions === true ? (shared.positions ?? "") : "",
    bias,
    layout.sink === "by head" ? graph.weight(`${at}.sinks`, [heads], 2) : "",
  ];
  const window = layout.windows?.[layer];
  const attributes: Record<string, Attribute> = {
    num_heads: { int: heads },
    kv_num_heads: { int: keyHeads },
    do_rotary: { int: turning === "inside" ? 1 : 0 },
    scale,
    ...(window !== undefined && {
      local_window_size: { int: window },
      sliding_window_cache: { int: layout.ring === true ? 1 : 0 },
    }),
    ...(layout.softcap !== undefined && { softcap: { float: layout.softcap } }),
    ...(layout.sink === "smooth" && { smooth_softmax: { int: 1 } }),
  };
  graph.several("GroupQueryAttention", withoutTail(inputs), [output, ...presents], attributes, {
    domain: microsoft,
  });
  return output;
}

/** Without the inputs at the end that are left out. */
function withoutTail(inputs: readonly string[]): readonly string[] {
  return inputs.slice(0, inputs.findLastIndex((name) => name !== "") + 1);
}

/** What the attention reads as past. */
function pastOf(
  graph: ConcatGraph,
  { reader }: GroupQueryLayout,
  layer: number,
  part: string,
  isReader: boolean,
): string {
  if (isReader) return `present.${layer - 1}.${part}`;
  const past = `past_key_values.${layer}.${part}`;
  if (reader !== "past by Slice") return past;
  const rows = graph.op("Sub", [sizeOf(graph, "attention_mask", 1), sizeOf(graph, "input_ids", 1)]);
  return graph.op("Slice", [past, graph.ints(0), rows, graph.ints(2)]);
}

/** With one number for all weights. */
export function addNorm(
  graph: ConcatGraph,
  name: string,
  input: string,
  size: number,
  weight = 1,
): string {
  const scale = graph.numbers(`${name}.weight`, [size], () => new Float32Array(size).fill(weight));
  return graph.op("SimplifiedLayerNormalization", [input, scale], {
    axis: { int: -1 },
    epsilon: { float: 1e-5 },
  });
}
