import type { BuiltGraph } from "../../src/onnx/build/graph-builder.js";
import { ElementType, type GraphValue } from "../../src/onnx/protobuf.js";
import { ConcatGraph, booleanElement, mostOfQuantised, type ZooFormat } from "./concat-graph.js";
import { addStateLayer, statesOf, type StateLayers } from "./state-layers.js";

/** What a decoder whose cache grows by `Concat` looks like; the defaults are Llama's. */
export interface ConcatLayout {
  readonly format?: ZooFormat;
  /** How positions work: turned vectors, a table of learnt ones, or a slope per head. */
  readonly placing?: "rotary" | "learnt" | "slopes";
  /** Where positions come from: an input, the mask's running sum, or the past's length. */
  readonly positions?: "input" | "mask" | "past";
  /** How the exporter wrote down which keys a query sees. */
  readonly causal?: "compared" | "trilu" | "joined" | "buffer";
  /** Heads of keys and values, of four; as many as of queries: nothing is repeated. */
  readonly keyHeads?: 1 | 2 | 4;
  /** Queries, keys and values are one product with a bias, and norms have a mean: as in GPT-2. */
  readonly fused?: boolean;
  /** For each of the two layers the rows that a query sees; undefined: all. */
  readonly windows?: readonly [number | undefined, number | undefined];
  /**
   * Whether what `present` holds, or what is used of the past, is cut to the window; or `present`
   * holds this run's rows alone.
   */
  readonly cuts?: "present" | "past" | "new";
  /** Layers that keep a state instead of a cache. */
  readonly states?: StateLayers;
  /** Inputs that are of 32 bits instead of 64. */
  readonly narrowInputs?: readonly ("input_ids" | "attention_mask" | "position_ids")[];
  /** What the names of the weights begin with, on which their numbers depend. */
  readonly stem?: string;
  /** The two branches of a merged decoder: `use_cache_branch`. */
  readonly branches?: boolean;
  /** `num_logits_to_keep` */
  readonly logitsCount?: boolean;
  /** `hidden_states`, in front of the logits. */
  readonly hiddenStates?: boolean;
  /** The last output first. */
  readonly reversed?: boolean;
  /** The batch is 1, wherever it stands. */
  readonly staticBatch?: boolean;
  /** Logits are of 32 bits though the rest is of 16. */
  readonly wideLogits?: boolean;
}

export const concatSizes = {
  vocabulary: 48,
  context: 448,
  width: 32,
  heads: 4,
  headWidth: 8,
  layers: 2,
  inner: 32,
} as const;
const { vocabulary, context, width, heads, headWidth, layers, inner } = concatSizes;
const { int32, int64, float32 } = ElementType;
const endOfAxis = 2 ** 31 - 1;

/** A decoder of two layers with random weights. */
export function buildConcatDecoder(layout: ConcatLayout): BuiltGraph {
  const { keyHeads = 2, positions = "input", staticBatch = false } = layout;
  const graph = new ConcatGraph(layout.format ?? "fp32", "/model");
  const value = (
    name: string,
    element: ElementType,
    ...dimensions: readonly (number | string)[]
  ): GraphValue => ({ name, type: { element, dimensions } });
  const integers = (
    name: "input_ids" | "attention_mask" | "position_ids",
    length: string,
  ): GraphValue => {
    const isNarrow = layout.narrowInputs?.includes(name) === true;
    return value(name, isNarrow ? int32 : int64, batch, length);
  };
  const batch = staticBatch ? 1 : "batch_size";
  const caches = (prefix: string, rows: string): GraphValue[] =>
    cacheNames(layout, prefix).map((name) =>
      value(name, graph.float, batch, keyHeads, rows, headWidth),
    );
  const states = (side: "past" | "present"): GraphValue[] =>
    (layout.states ?? []).flatMap((kind, layer) =>
      kind === undefined
        ? []
        : statesOf(kind, layer).map((state) =>
            value(state[side], graph.float, batch, ...state.dimensions),
          ),
    );
  const inputs = [
    integers("input_ids", "sequence_length"),
    integers("attention_mask", "total_sequence_length"),
    ...(positions === "input" && layout.placing !== "slopes"
      ? [integers("position_ids", "sequence_length")]
      : []),
    ...states("past"),
    ...caches("past_key_values", "past_sequence_length"),
    ...(layout.logitsCount === true ? [value("num_logits_to_keep", int64)] : []),
    ...(layout.branches === true ? [value("use_cache_branch", booleanElement, 1)] : []),
  ];
  const presentRows = {
    present: "present_sequence_length",
    new: "sequence_length",
    past: "total_sequence_length",
    none: "total_sequence_length",
  }[layout.cuts ?? "none"];
  const logitsElement = layout.wideLogits === true ? float32 : graph.float;
  const outputs = [
    ...(layout.hiddenStates === true
      ? [value("hidden_states", graph.float, batch, "sequence_length", width)]
      : []),
    value("logits", logitsElement, batch, "logits_length", vocabulary),
    ...states("present"),
    ...caches("present", presentRows),
  ];
  if (layout.reversed === true) outputs.reverse();
  if (layout.branches !== true) {
    addDecoder(graph, layout, "any");
    return graph.build(inputs, outputs, 17);
  }
  return mergeBranches(layout, inputs, outputs);
}

/** The one operator of a merged decoder; its tensors are the branches' together. */
function mergeBranches(
  layout: ConcatLayout,
  inputs: readonly GraphValue[],
  outputs: readonly GraphValue[],
): BuiltGraph {
  const branch = (name: string, run: Run): BuiltGraph => {
    const graph = new ConcatGraph(layout.format ?? "fp32", name);
    addDecoder(graph, layout, run);
    return graph.build([], outputs, 17);
  };
  const [withPast, noPast] = [branch("with_past", "later"), branch("no_past", "first")];
  const merged = new ConcatGraph(layout.format ?? "fp32", "optimum");
  const built = merged.build(inputs, outputs, 17);
  const seen = new Set<string>();
  return {
    ...built,
    graph: {
      ...built.graph,
      nodes: [
        {
          name: "optimum::if",
          operator: "If",
          inputs: ["use_cache_branch"],
          outputs: outputs.map(({ name }) => name),
          attributes: {
            then_branch: { graph: withPast.graph },
            else_branch: { graph: noPast.graph },
          },
        },
      ],
    },
    tensorGroups: [...withPast.tensorGroups, ...noPast.tensorGroups].filter(({ tensors }) => {
      const name = tensors[0]?.name ?? "";
      return !seen.has(name) && seen.add(name);
    }),
  };
}

function cacheNames({ states }: ConcatLayout, prefix: string): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    states?.[layer] === undefined
      ? ["key", "value"].map((part) => `${prefix}.${layer}.${part}`)
      : [],
  ).flat();
}

/** Which of a merged decoder's branches: the first run, or one id behind a past. */
type Run = "any" | "first" | "later";

/** Lengths and positions of one run. */
interface Places {
  /** The number of ids, [1]. */
  readonly length: string;
  /** The number of ids and of rows in the past, [1]. */
  readonly total: string;
  /** Position of each id in the whole, [ids]. */
  readonly rows: string;
  /** Position of each id as the model counts it, [batch, ids]. */
  readonly positions: string;
}

function addDecoder(graph: ConcatGraph, layout: ConcatLayout, run: Run): void {
  const { placing = "rotary", fused = false, stem = "model" } = layout;
  const places = addPlaces(graph, layout, run);
  const table = graph.weight(`${stem}.embed_tokens.weight`, [vocabulary, width], 1.5);
  let hidden = graph.op("Gather", [table, "input_ids"]);
  if (placing === "learnt") {
    const learnt = graph.weight("wpe.weight", [context, width], 1);
    hidden = graph.op("Add", [hidden, graph.op("Gather", [learnt, places.positions])]);
  }
  const turns = placing === "rotary" ? addTurns(graph, places) : undefined;
  const masks = new Map<number | undefined, string>();
  for (let layer = 0; layer < layers; layer++) {
    const at = `${stem}.layers.${layer}`;
    const normed = addNorm(graph, `${at}.input_layernorm`, hidden, fused);
    const kind = layout.states?.[layer];
    const attention = (): string => {
      const parts = addProjections(graph, layout, at, normed);
      const seen = addAttention(graph, layout, {
        layer,
        places,
        masks,
        run,
        ...turned(graph, parts, turns),
      });
      return graph.linear(seen, `${at}.o_proj`, width, width, mostOfQuantised(width));
    };
    const output = kind === undefined ? attention() : addStateLayer(graph, kind, layer, normed);
    hidden = graph.op("Add", [hidden, output]);
    const before = addNorm(graph, `${at}.post_attention_layernorm`, hidden, fused);
    hidden = graph.op("Add", [hidden, addInner(graph, at, before, fused)]);
  }
  const final = addNorm(graph, "model.norm", hidden, fused);
  if (layout.hiddenStates === true) graph.op("Identity", [final], {}, { output: "hidden_states" });
  let last = final;
  if (layout.logitsCount === true) {
    const from = graph.op("Neg", [graph.op("Unsqueeze", ["num_logits_to_keep", graph.ints(0)])]);
    last = graph.op("Slice", [final, from, graph.ints(endOfAxis), graph.ints(1)]);
  }
  const logits = graph.linear(last, "lm_head", width, vocabulary, mostOfQuantised(width));
  if (layout.wideLogits === true) {
    graph.op("Cast", [logits], { to: { int: float32 } }, { output: "logits" });
  } else graph.op("Identity", [logits], {}, { output: "logits" });
}

/** A dimension of a value, [1]. */
function sizeOf(graph: ConcatGraph, value: string, axis: number): string {
  return graph.op("Gather", [graph.op("Shape", [value]), graph.ints(axis)]);
}

function scalar(graph: ConcatGraph, value: string): string {
  return graph.op("Squeeze", [value, graph.ints(0)]);
}

/** Numbers from one on and before another, [n]. */
function range(graph: ConcatGraph, from: string, end: string): string {
  return graph.op("Range", [scalar(graph, from), scalar(graph, end), graph.int(1)]);
}

function addPlaces(graph: ConcatGraph, layout: ConcatLayout, run: Run): Places {
  const { positions = "input" } = layout;
  const length = sizeOf(graph, "input_ids", 1);
  const zero = graph.ints(0);
  let past: string;
  if (run === "first") past = zero;
  else if (positions === "past")
    past = sizeOf(graph, cacheNames(layout, "past_key_values")[0] ?? "", 2);
  else past = graph.op("Sub", [sizeOf(graph, "attention_mask", 1), length]);
  const total = graph.op("Add", [past, length]);
  const rows = range(graph, past, total);
  const found = (): string => {
    if (positions === "input") return "position_ids";
    if (positions === "past") return graph.op("Unsqueeze", [rows, zero]);
    // Older models: the mask's sum so far, less one, of which the end is this run's.
    const sums = graph.op("CumSum", ["attention_mask", graph.int(1)]);
    const counted = graph.op("Sub", [sums, graph.ints(1)]);
    const start = graph.op("Neg", [length]);
    return graph.op("Slice", [counted, start, graph.ints(endOfAxis), graph.ints(1)]);
  };
  return { length, total, rows, positions: layout.placing === "slopes" ? "" : found() };
}

/** Cosines and sines by position, [batch, 1, ids, headWidth]. */
function addTurns(graph: ConcatGraph, { positions }: Places): readonly [string, string] {
  const half = headWidth / 2;
  const frequencies = graph.cast(
    graph.numbers("inv_freq", [1, half, 1], () =>
      Float32Array.from({ length: half }, (_, at) => 100 ** (-at / half)),
    ),
    float32,
  );
  const at = graph.cast(graph.op("Unsqueeze", [positions, graph.ints(1)]), float32);
  const angles = graph.op("Transpose", [graph.op("MatMul", [frequencies, at])], {
    perm: { ints: [0, 2, 1] },
  });
  const both = graph.op("Concat", [angles, angles], { axis: { int: -1 } });
  const turn = (operator: string): string => {
    const value = graph.op("Unsqueeze", [graph.op(operator, [both]), graph.ints(1)]);
    return graph.float === float32 ? value : graph.cast(value, graph.float);
  };
  return [turn("Cos"), turn("Sin")];
}

interface Parts {
  /** [batch, heads, ids, headWidth] each. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
}

function addProjections(
  graph: ConcatGraph,
  layout: ConcatLayout,
  at: string,
  input: string,
): Parts {
  const { keyHeads = 2, fused = false } = layout;
  const byHead = (part: string, count: number): string =>
    graph.op("Transpose", [graph.op("Reshape", [part, graph.ints(0, 0, count, headWidth)])], {
      perm: { ints: [0, 2, 1, 3] },
    });
  // Steep enough for attention to choose.
  const steep = 2 * mostOfQuantised(width);
  if (!fused) {
    const keyWidth = keyHeads * headWidth;
    return {
      query: byHead(graph.linear(input, `${at}.q_proj`, width, width, steep), heads),
      key: byHead(graph.linear(input, `${at}.k_proj`, width, keyWidth, steep), keyHeads),
      value: byHead(graph.linear(input, `${at}.v_proj`, width, keyWidth, steep), keyHeads),
    };
  }
  const flat = graph.op("Reshape", [input, graph.ints(-1, width)]);
  const product = graph.op("Gemm", [
    flat,
    graph.weight(`${at}.c_attn.weight`, [width, 3 * width], steep),
    graph.weight(`${at}.c_attn.bias`, [3 * width], 0.3),
  ]);
  const shape = graph.op(
    "Concat",
    [sizeOf(graph, input, 0), sizeOf(graph, input, 1), graph.ints(3 * width)],
    { axis: { int: 0 } },
  );
  const back = graph.op("Reshape", [product, shape]);
  const [query, key, value] = graph.several("Split", [back, graph.ints(width, width, width)], 3, {
    axis: { int: 2 },
  }) as [string, string, string];
  return { query: byHead(query, heads), key: byHead(key, heads), value: byHead(value, heads) };
}

/** Queries and keys turned by their positions. */
function turned(
  graph: ConcatGraph,
  parts: Parts,
  turns: readonly [string, string] | undefined,
): Parts {
  if (turns === undefined) return parts;
  const [cosines, sines] = turns;
  const turn = (part: string): string => {
    const slice = (from: number, to: number): string =>
      graph.op("Slice", [part, graph.ints(from), graph.ints(to), graph.ints(3)]);
    const half = headWidth / 2;
    const swapped = graph.op(
      "Concat",
      [graph.op("Neg", [slice(half, endOfAxis)]), slice(0, half)],
      {
        axis: { int: -1 },
      },
    );
    return graph.op("Add", [graph.op("Mul", [part, cosines]), graph.op("Mul", [swapped, sines])]);
  };
  return { ...parts, query: turn(parts.query), key: turn(parts.key) };
}

interface AttentionParts extends Parts {
  readonly layer: number;
  readonly places: Places;
  /** The masks that earlier layers made, by window. */
  readonly masks: Map<number | undefined, string>;
  readonly run: Run;
}

/** What each id sees, [batch, ids, width]; adds the layer's outputs of the cache. */
function addAttention(
  graph: ConcatGraph,
  layout: ConcatLayout,
  { layer, places, masks, run, query, key, value }: AttentionParts,
): string {
  const { keyHeads = 2, cuts } = layout;
  const window = layout.windows?.[layer];
  const cut = (rows: string): string =>
    graph.op("Slice", [rows, graph.ints(1 - (window ?? 0)), graph.ints(endOfAxis), graph.ints(2)]);
  const grown = (part: string, rows: string): string => {
    const output = `present.${layer}.${part}`;
    if (run === "first") return graph.op("Identity", [rows], {}, { output });
    const past = `past_key_values.${layer}.${part}`;
    const cutsPast = window !== undefined && cuts === "past";
    const cutsPresent = window !== undefined && cuts === "present";
    const isNew = cuts === "new";
    const all = graph.op(
      "Concat",
      [cutsPast ? cut(past) : past, rows],
      { axis: { int: 2 } },
      cutsPresent || isNew ? {} : { output },
    );
    if (isNew) graph.op("Identity", [rows], {}, { output });
    if (cutsPresent) graph.op("Identity", [cut(all)], {}, { output });
    return all;
  };
  const [keys, values] = [grown("key", key), grown("value", value)];
  const repeated = (rows: string): string => {
    if (keyHeads === heads) return rows;
    const five = graph.op("Unsqueeze", [rows, graph.ints(2)]);
    const shape = graph.ints(1, 1, heads / keyHeads, 1, 1);
    const shapeOfAll = graph.op(
      "Concat",
      [sizeOf(graph, rows, 0), graph.ints(heads), sizeOf(graph, rows, 2), graph.ints(headWidth)],
      { axis: { int: 0 } },
    );
    return graph.op("Reshape", [graph.op("Expand", [five, shape]), shapeOfAll]);
  };
  const across = graph.op("Transpose", [repeated(keys)], { perm: { ints: [0, 1, 3, 2] } });
  let scores = graph.op("Mul", [
    graph.op("MatMul", [query, across]),
    graph.number(1 / Math.sqrt(headWidth)),
  ]);
  if (layout.placing === "slopes") scores = graph.op("Add", [scores, addSlopes(graph)]);
  let mask = cuts === undefined ? masks.get(window) : undefined;
  mask ??= addMask(graph, layout, places, run, window, cuts === undefined ? undefined : keys);
  masks.set(window, mask);
  const shares = graph.op("Softmax", [graph.op("Add", [scores, mask])], { axis: { int: -1 } });
  const seen = graph.op("Transpose", [graph.op("MatMul", [shares, repeated(values)])], {
    perm: { ints: [0, 2, 1, 3] },
  });
  return graph.op("Reshape", [seen, graph.ints(0, 0, width)]);
}

/** As Bloom's, half as steep, or so small a model repeats itself: each head's slope times the key's position by the mask's sum, [batch, heads, 1, keys]. */
function addSlopes(graph: ConcatGraph): string {
  const slopes = graph.numbers("slopes", [1, heads, 1, 1], () =>
    Float32Array.from({ length: heads }, (_, head) => 2 ** (-4 * ((head + 1) / heads))),
  );
  const sums = graph.op("Sub", [
    graph.op("CumSum", ["attention_mask", graph.int(1)]),
    graph.ints(1),
  ]);
  const places = graph.op("Mul", [sums, "attention_mask"]);
  const spread = graph.op("Unsqueeze", [graph.cast(places, graph.float), graph.ints(1, 2)]);
  return graph.op("Mul", [slopes, spread]);
}

/**
 * What is added to scores: 0 where a query sees a key, [batch, 1, ids, keys].
 *
 * @param keys of which the last rows are there; undefined: all
 */
function addMask(
  graph: ConcatGraph,
  layout: ConcatLayout,
  places: Places,
  run: Run,
  window: number | undefined,
  keys: string | undefined,
): string {
  const { causal = "compared" } = layout;
  const never = graph.number(graph.float === float32 ? -3.4e38 : -65_504);
  const none = graph.number(0);
  const { length, total, rows } = places;
  const count = keys === undefined ? total : sizeOf(graph, keys, 2);
  const columns = range(graph, graph.op("Sub", [total, count]), total);
  const rowsDown = graph.op("Unsqueeze", [rows, graph.ints(1)]);
  const seen = (visible: string): string => graph.op("Where", [visible, none, never]);
  const shape = graph.op("Concat", [length, count], { axis: { int: 0 } });

  const added = (): string => {
    // A branch for one id sees all of the past.
    if (run === "later") return graph.op("Expand", [none, shape]);
    if (causal === "trilu") {
      const upper = graph.op("Trilu", [graph.op("Expand", [never, shape]), graph.ints(1)], {
        upper: { int: 1 },
      });
      const later = graph.cast(graph.op("Greater", [columns, rowsDown]), graph.float);
      return graph.op("Mul", [upper, later]);
    }
    if (causal === "joined") {
      const own = range(graph, graph.ints(0), length);
      const after = graph.op("Unsqueeze", [graph.op("Add", [own, graph.ints(1)]), graph.ints(1)]);
      const square = seen(graph.op("Less", [own, after]));
      const past = graph.op("Sub", [total, length]);
      const open = graph.op("Expand", [
        none,
        graph.op("Concat", [length, past], { axis: { int: 0 } }),
      ]);
      return graph.op("Concat", [open, square], { axis: { int: -1 } });
    }
    if (causal === "buffer") {
      const buffer = graph.cast(
        graph.numbers("bias", [context, context], () =>
          Float32Array.from({ length: context ** 2 }, (_, at) =>
            at % context <= Math.floor(at / context) ? 1 : 0,
          ),
        ),
        booleanElement,
      );
      const part = graph.op("Slice", [
        graph.op("Slice", [buffer, graph.op("Sub", [total, length]), total, graph.ints(0)]),
        graph.ints(0),
        total,
        graph.ints(1),
      ]);
      return seen(part);
    }
    let visible = graph.op("LessOrEqual", [columns, rowsDown]);
    if (window !== undefined) {
      const near = graph.op("Greater", [columns, graph.op("Sub", [rowsDown, graph.ints(window)])]);
      visible = graph.op("And", [visible, near]);
    }
    return seen(visible);
  };
  // Takes as many places of the mask, its last ones, as there are keys.
  const own = graph.op("Slice", [
    "attention_mask",
    graph.op("Neg", [count]),
    graph.ints(endOfAxis),
    graph.ints(1),
  ]);
  const padded = graph.op("Unsqueeze", [graph.cast(own, booleanElement), graph.ints(1, 2)]);
  return graph.op("Where", [padded, added(), never]);
}

function addNorm(graph: ConcatGraph, name: string, input: string, hasMean: boolean): string {
  const scale = graph.numbers(`${name}.weight`, [width], () => new Float32Array(width).fill(1));
  if (hasMean) {
    const bias = graph.weight(`${name}.bias`, [width], 0.2);
    return graph.op("LayerNormalization", [input, scale, bias], {
      axis: { int: -1 },
      epsilon: { float: 1e-5 },
    });
  }
  const wide = graph.float === float32 ? input : graph.cast(input, float32);
  const square = graph.op("Mul", [wide, wide]);
  const mean = graph.op("ReduceMean", [square], { axes: { ints: [-1] } });
  const epsilon = graph.cast(graph.number(0.001), float32);
  const root = graph.op("Sqrt", [graph.op("Add", [mean, epsilon])]);
  const even = graph.op("Div", [wide, root]);
  const narrow = graph.float === float32 ? even : graph.cast(even, graph.float);
  return graph.op("Mul", [scale, narrow]);
}

/** SiLU behind a gate, or GPT-2's approximation of GELU. */
function addInner(graph: ConcatGraph, at: string, input: string, isGpt: boolean): string {
  const most = mostOfQuantised(width);
  if (!isGpt) {
    const gate = graph.linear(input, `${at}.gate_proj`, width, inner, most);
    const open = graph.op("Mul", [gate, graph.op("Sigmoid", [gate])]);
    const up = graph.linear(input, `${at}.up_proj`, width, inner, most);
    return graph.linear(graph.op("Mul", [open, up]), `${at}.down_proj`, inner, width, most);
  }
  const up = graph.linear(input, `${at}.c_fc`, width, inner, most);
  const cube = graph.op("Mul", [graph.op("Pow", [up, graph.number(3)]), graph.number(0.044_715)]);
  const inside = graph.op("Mul", [
    graph.op("Add", [up, cube]),
    graph.number(Math.sqrt(2 / Math.PI)),
  ]);
  const open = graph.op("Add", [graph.op("Tanh", [inside]), graph.number(1)]);
  const half = graph.op("Mul", [up, graph.number(0.5)]);
  return graph.linear(graph.op("Mul", [half, open]), `${at}.c_proj`, inner, width, most);
}
