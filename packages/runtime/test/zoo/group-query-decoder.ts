import { microsoft, type BuiltGraph } from "../../src/onnx/build/graph-builder.js";
import { ElementType, type GraphValue } from "../../src/onnx/protobuf.js";
import { ConcatGraph, mostOfQuantised } from "./concat-graph.js";
import { addAttention, addNorm } from "./group-query-attention.js";
import { addShared } from "./group-query-inputs.js";
import {
  cachesOf,
  groupQuerySizes,
  headWidthOf,
  keyHeadsOf,
  type GroupQueryLayout,
} from "./group-query-layout.js";
import { addStateLayer, statesOf } from "./state-layers.js";

const { vocabulary, width, heads, layers, inner } = groupQuerySizes;
const { int64 } = ElementType;
const endOfAxis = 2 ** 31 - 1;

/** A decoder of two layers with random weights. */
export function buildGroupQueryDecoder(layout: GroupQueryLayout): BuiltGraph {
  const graph = new ConcatGraph(layout.format ?? "fp32", "/model");
  addDecoder(graph, layout);

  const value = (
    name: string,
    element: ElementType,
    ...dimensions: readonly (number | string)[]
  ): GraphValue => ({ name, type: { element, dimensions } });
  const batch = layout.staticBatch === "inputs" ? 1 : "batch_size";
  const caches = (prefix: string, rows: string): GraphValue[] =>
    cachesOf(layout).flatMap((layer) =>
      ["key", "value"].map((part) => {
        const usual = [batch, keyHeadsOf(layout, layer), rows, headWidthOf(layout, layer)];
        const dimensions = usual.map((size, axis) => layout.cacheDimensions?.[axis] ?? size);
        return value(`${prefix}.${layer}.${part}`, graph.float, ...dimensions);
      }),
    );
  const states = (layout.states ?? []).flatMap((kind, layer) =>
    kind === undefined ? [] : statesOf(kind, layer),
  );
  const stateValues = (side: "past" | "present"): GraphValue[] =>
    states.map((state) => value(state[side], graph.float, batch, ...state.dimensions));
  const takesPositions =
    layout.positions === "input" ||
    layout.lengths === "positions" ||
    (layout.longRope !== undefined && layout.longRope !== "If");
  const inputs = [
    value("input_ids", int64, batch, "sequence_length"),
    value("attention_mask", int64, batch, "total_sequence_length"),
    ...(takesPositions ? [value("position_ids", int64, batch, "sequence_length")] : []),
    ...stateValues("past"),
    ...caches("past_key_values", "past_sequence_length"),
    ...(layout.logitsCount === true ? [value("num_logits_to_keep", int64)] : []),
  ];
  const logitsLength = (): string | number => {
    if (layout.lastLogits === true) return 1;
    return layout.logitsCount === true ? "logits_length" : "sequence_length";
  };
  const hidden = value("hidden_states", graph.float, batch, "sequence_length", width);
  const outputs = [
    ...(layout.hiddenStates === "first" ? [hidden] : []),
    value("logits", graph.float, batch, logitsLength(), vocabulary),
    ...stateValues("present"),
    ...caches("present", "total_sequence_length"),
    ...(layout.hiddenStates === "last" ? [hidden] : []),
  ];
  if (layout.reversed === true) outputs.reverse();
  const built = graph.build(inputs, outputs, layout.attention === "standard" ? 23 : 18);
  return { ...built, operatorSets: { ...built.operatorSets, [microsoft]: 1 } };
}

function addDecoder(graph: ConcatGraph, layout: GroupQueryLayout): void {
  const shared = addShared(graph, layout);
  const table = graph.weight("model.embed_tokens.weight", [vocabulary, width], 1.5);
  let hidden = graph.op("Gather", [table, "input_ids"]);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    const normed = addNorm(graph, `${at}.input_layernorm`, hidden, width);
    const kind = layout.states?.[layer];
    const attention = (): string => {
      const seen = addAttention(graph, layout, shared, layer, normed);
      const seenWidth = heads * headWidthOf(layout, layer);
      return graph.linear(seen, `${at}.o_proj`, seenWidth, width, mostOfQuantised(seenWidth) * 2);
    };
    const output = kind === undefined ? attention() : addStateLayer(graph, kind, layer, normed);
    hidden = graph.op("Add", [hidden, output]);
    const before = addNorm(graph, `${at}.post_attention_layernorm`, hidden, width);
    hidden = graph.op("Add", [hidden, addInner(graph, at, before)]);
  }
  if (layout.reader === "mean of present" || layout.reader === "length of present") {
    hidden = graph.op("Add", [hidden, addReader(graph, layout.reader)]);
  }
  const final = addNorm(graph, "model.norm", hidden, width);
  if (layout.hiddenStates !== undefined) {
    graph.op("Identity", [final], {}, { output: "hidden_states" });
  }
  let last = final;
  if (layout.logitsCount === true) {
    const from = graph.op("Neg", [graph.op("Unsqueeze", ["num_logits_to_keep", graph.ints(0)])]);
    last = graph.op("Slice", [final, from, graph.ints(endOfAxis), graph.ints(1)]);
  }
  if (layout.lastLogits === true) {
    last = graph.op("Gather", [final, graph.ints(-1)], { axis: { int: 1 } });
  }
  const logits = graph.linear(last, "lm_head", width, vocabulary, mostOfQuantised(width));
  if (layout.logitsCap === undefined) {
    graph.op("Identity", [logits], {}, { output: "logits" });
    return;
  }
  const cap = graph.number(layout.logitsCap);
  const capped = graph.op("Tanh", [graph.op("Div", [logits, cap])]);
  graph.op("Mul", [capped, cap], {}, { output: "logits" });
}

/** The mean of the first layer's keys, or how many there are, [batch or 1, 1, width]. */
function addReader(graph: ConcatGraph, reader: "mean of present" | "length of present"): string {
  if (reader === "mean of present") {
    const mean = graph.op("ReduceMean", ["present.0.key", graph.ints(2)], { keepdims: { int: 0 } });
    return graph.op("Reshape", [mean, graph.ints(0, 1, width)]);
  }
  const rows = graph.cast(
    graph.op("Gather", [graph.op("Shape", ["present.0.key"]), graph.ints(2)]),
    graph.float,
  );
  const turn = graph.weight("length.weight", [1, 1, width], 1);
  return graph.op("Mul", [graph.op("Sin", [graph.op("Mul", [rows, turn])]), graph.number(2)]);
}

/** SiLU behind a gate. */
function addInner(graph: ConcatGraph, at: string, input: string): string {
  const most = mostOfQuantised(width);
  const gate = graph.linear(input, `${at}.gate_proj`, width, inner, most);
  const open = graph.op("Mul", [gate, graph.op("Sigmoid", [gate])]);
  const up = graph.linear(input, `${at}.up_proj`, width, inner, most);
  return graph.linear(graph.op("Mul", [open, up]), `${at}.down_proj`, inner, width, most);
}
