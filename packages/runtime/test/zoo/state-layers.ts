import { microsoft } from "../../src/onnx/build/graph-builder.js";
import { ElementType } from "../../src/onnx/protobuf.js";
import { mostOfQuantised, type ConcatGraph } from "./concat-graph.js";
import { range, scalar, sizeOf } from "./lengths.js";

/** A layer that keeps a state of fixed size instead of a cache of keys and values. */
export type StateLayer =
  /** LFM2's short convolution: of one operator, or of several with a state as long as the kernel. */
  | "convolution"
  | "convolution of one operator"
  /** As the first, with a state that is read behind one id, and not behind several. */
  | "convolution, begun anew with several ids"
  /** As the first, with ids left out by the mask's last columns, as of a batch padded on the left. */
  | "convolution, masked"
  /** As the first, with a state that has the wrong columns. */
  | "convolution, of the first columns"
  /** Granite-4's and Falcon-H1's; and Qwen3-Next's by its names. */
  | "mamba"
  | "linear attention";

/** What a decoder keeps in each of its two layers: a state, or a cache. */
export type StateLayers = readonly [StateLayer | undefined, StateLayer | undefined];

const width = 32;
const kernel = 3;
const mambaKernel = 4;
const [heads, headWidth] = [4, 8];
const endOfAxis = 2 ** 31 - 1;

/** A state's names, and its dimensions behind the batch. */
export interface StateValue {
  readonly past: string;
  readonly present: string;
  readonly dimensions: readonly number[];
}

/** The states of a layer, in the order of its inputs. */
export function statesOf(kind: StateLayer, layer: number): readonly StateValue[] {
  const value = (name: string, ...dimensions: readonly number[]): StateValue => ({
    past: `past_${name}.${layer}`,
    present: `present_${name}.${layer}`,
    dimensions,
  });
  const perHead = [heads, headWidth, headWidth];
  if (kind === "mamba") return [value("conv", width, mambaKernel), value("ssm", ...perHead)];
  if (kind === "linear attention") {
    return [value("conv", width, mambaKernel), value("recurrent", ...perHead)];
  }
  return [value("conv", width, kind === "convolution of one operator" ? kernel - 1 : kernel)];
}

/** What the layer adds, [batch, ids, width]. */
export function addStateLayer(
  graph: ConcatGraph,
  kind: StateLayer,
  layer: number,
  input: string,
): string {
  const at = `model.layers.${layer}`;
  if (kind === "mamba" || kind === "linear attention") {
    return addRecurrence(graph, kind, layer, `${at}.mamba`, input);
  }
  const masked = kind === "convolution, masked" ? addMasked(graph, input) : input;
  const product = linear(graph, masked, `${at}.conv.in_proj`, width, 3 * width);
  const across = transposed(graph, product);
  const [before, behind, values] = graph.several(
    "Split",
    [across, graph.ints(width, width, width)],
    3,
    { axis: { int: 1 } },
  ) as [string, string, string];
  const gated = graph.op("Mul", [before, values]);
  const seen = addConvolution(graph, kind, layer, `${at}.conv`, gated, kernel);
  const output = transposed(graph, graph.op("Mul", [behind, seen]));
  return linear(graph, output, `${at}.conv.out_proj`, width, width);
}

function addMasked(graph: ConcatGraph, input: string): string {
  const start = graph.op("Neg", [sizeOf(graph, input, 1)]);
  const own = graph.op("Slice", ["attention_mask", start, graph.ints(endOfAxis), graph.ints(1)]);
  const shares = graph.cast(graph.op("Unsqueeze", [own, graph.ints(2)]), graph.float);
  return graph.op("Mul", [input, shares]);
}

/** Each channel's last ids times a kernel, [batch, width, ids]. */
function addConvolution(
  graph: ConcatGraph,
  kind: StateLayer,
  layer: number,
  at: string,
  input: string,
  length: number,
): string {
  const [state] = statesOf(kind, layer) as [StateValue];
  const weight = graph.weight(`${at}.conv.weight`, [width, 1, length], 1.5);
  if (kind === "convolution of one operator") {
    const [seen] = graph.several(
      "CausalConvWithState",
      [input, weight, "", state.past],
      [`${at}.seen`, state.present],
      { ndim: { int: 1 } },
      { domain: microsoft },
    );
    return seen;
  }
  let past = state.past;
  const count = sizeOf(graph, input, 2);
  if (kind === "convolution, begun anew with several ids") {
    const isSingle = graph.cast(graph.op("Equal", [count, graph.ints(1)]), graph.float);
    past = graph.op("Mul", [past, isSingle]);
  }
  const all = graph.op("Concat", [past, input], { axis: { int: 2 } });
  const isStale = kind === "convolution, of the first columns";
  const [from, to] = isStale ? [0, length] : [-length, endOfAxis];
  graph.op(
    "Slice",
    [all, graph.ints(from), graph.ints(to), graph.ints(2)],
    {},
    { output: state.present },
  );
  const seen = graph.op("Conv", [all, weight], {
    kernel_shape: { ints: [length] },
    pads: { ints: [0, 0] },
    group: { int: width },
  });
  const start = graph.op("Neg", [count]);
  return graph.op("Slice", [seen, start, graph.ints(endOfAxis), graph.ints(2)]);
}

/**
 * A convolution, and behind it S = decay · S + key ⊗ value and query · S for each head, in
 * closed form over the ids of a run.
 */
function addRecurrence(
  graph: ConcatGraph,
  kind: StateLayer,
  layer: number,
  at: string,
  input: string,
): string {
  const [, state] = statesOf(kind, layer) as [StateValue, StateValue];
  const mixed = addConvolution(graph, kind, layer, at, transposed(graph, input), mambaKernel);
  const wide = transposed(graph, graph.op("Mul", [mixed, graph.op("Sigmoid", [mixed])]));
  const byHead = (part: string): string => {
    const product = linear(graph, wide, `${at}.${part}_proj`, width, width);
    const apart = graph.op("Reshape", [product, graph.ints(0, 0, heads, headWidth)]);
    return graph.op("Transpose", [apart], { perm: { ints: [0, 2, 1, 3] } });
  };
  const [query, key, value] = [byHead("query"), byHead("key"), byHead("value")];
  const decays = graph.numbers(`${at}.log_decay`, [1, heads, 1, 1], () =>
    Float32Array.from({ length: heads }, (_, head) => Math.log(0.5 + 0.12 * head)),
  );
  const count = sizeOf(graph, input, 1);
  const steps = range(graph, graph.ints(0), count);
  const places = graph.cast(steps, ElementType.float32);
  const down = graph.op("Unsqueeze", [places, graph.ints(1)]);
  const power = (exponent: string): string =>
    graph.op("Exp", [graph.op("Mul", [exponent, decays])]);
  const one = graph.number(1);

  const fromState = graph.op("Mul", [
    graph.op("MatMul", [query, state.past]),
    power(graph.op("Add", [down, one])),
  ]);
  const distance = graph.op("Sub", [down, places]);
  const isSeen = graph.op("GreaterOrEqual", [distance, graph.number(0)]);
  const weights = graph.op("Where", [isSeen, power(distance), graph.number(0)]);
  const across = graph.op("Transpose", [key], { perm: { ints: [0, 1, 3, 2] } });
  const scores = graph.op("Mul", [graph.op("MatMul", [query, across]), weights]);
  const seen = graph.op("Add", [fromState, graph.op("MatMul", [scores, value])]);

  const total = graph.cast(scalar(graph, count), ElementType.float32);
  const left = graph.op("Sub", [graph.op("Sub", [total, one]), places]);
  const added = graph.op("MatMul", [graph.op("Mul", [across, power(left)]), value]);
  const kept = graph.op("Mul", [state.past, power(total)]);
  graph.op("Add", [kept, added], {}, { output: state.present });

  const joined = graph.op("Transpose", [seen], { perm: { ints: [0, 2, 1, 3] } });
  const flat = graph.op("Reshape", [joined, graph.ints(0, 0, width)]);
  return linear(graph, flat, `${at}.out_proj`, width, width);
}

function linear(
  graph: ConcatGraph,
  input: string,
  name: string,
  columns: number,
  rows: number,
): string {
  return graph.linear(input, name, columns, rows, mostOfQuantised(columns));
}

function transposed(graph: ConcatGraph, input: string): string {
  return graph.op("Transpose", [input], { perm: { ints: [0, 2, 1] } });
}
