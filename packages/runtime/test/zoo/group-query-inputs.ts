import { ElementType, type Attribute } from "../../src/onnx/protobuf.js";
import type { ConcatGraph } from "./concat-graph.js";
import { biasWindow, longBorder, type GroupQueryLayout } from "./group-query-layout.js";
import { range, scalar, sizeOf } from "./lengths.js";
import { addTables } from "./rotary-tables.js";

const { int32, int64 } = ElementType;
const endOfAxis = 2 ** 31 - 1;

/** What all layers read. */
export interface Shared {
  /** Rows of a sequence's last id, int32 [batch]. */
  readonly last: string;
  /** The length of the longest sequence, int32 []. */
  readonly total: string;
  /** Position of each id, [batch, ids]; undefined: nobody asks. */
  readonly positions: string | undefined;
  /** cos and sin, [positions, half a head], by the head's width. */
  readonly tables: (headWidth: number) => readonly [cosines: string, sines: string];
  /** `attention_bias` [1 or batch, 1, ids, keys]; undefined: none. */
  readonly bias: string | undefined;
}

export function addShared(graph: ConcatGraph, layout: GroupQueryLayout): Shared {
  const { lengths = "mask", positions = "mask", turning = "inside" } = layout;
  const length = sizeOf(graph, "input_ids", 1);
  // Nothing that is not used: a graph that has the past's shape in it reads the past.
  const past = (): string => sizeOf(graph, "past_key_values.0.key", 2);
  const ones = (): string =>
    graph.op("ReduceSum", ["attention_mask", graph.ints(1)], { keepdims: { int: 0 } });

  const ends = (): [last: string, total: string] => {
    if (lengths === "mask") {
      return [
        graph.cast(graph.op("Sub", [ones(), graph.ints(1)]), int32),
        graph.cast(scalar(graph, sizeOf(graph, "attention_mask", 1)), int32),
      ];
    }
    if (lengths === "positions") {
      const most = graph.op("ReduceMax", ["position_ids", graph.ints(1)], { keepdims: { int: 0 } });
      const last = graph.cast(most, int32);
      const longest = graph.op("ReduceMax", [last, graph.ints(0)], { keepdims: { int: 0 } });
      return [last, graph.op("Add", [longest, graph.cast(graph.int(1), int32)])];
    }
    const total = graph.op("Add", [past(), length]);
    const last = graph.op("Expand", [
      graph.op("Sub", [total, graph.ints(1)]),
      sizeOf(graph, "input_ids", 0),
    ]);
    return [graph.cast(last, int32), graph.cast(scalar(graph, total), int32)];
  };
  const [last, total] = ends();

  const places = (): string | undefined => {
    if (turning === "inside" && layout.givesPositions !== true) return undefined;
    if (layout.longRope === "positions behind the short table") return addShiftedPositions(graph);
    if (positions === "input") return "position_ids";
    const overBatch = (row: string): string => {
      const shape = graph.op("Concat", [sizeOf(graph, "input_ids", 0), length], {
        axis: { int: 0 },
      });
      return graph.op("Expand", [row, shape]);
    };
    if (positions === "past" || positions === "past in a branch") {
      const start = positions === "past" ? past() : pastInBranch(graph);
      return overBatch(range(graph, start, graph.op("Add", [start, length])));
    }
    if (positions === "mask's width") {
      const end = sizeOf(graph, "attention_mask", 1);
      return overBatch(range(graph, graph.op("Sub", [end, length]), end));
    }
    if (positions === "running sum") {
      const sums = graph.op("Sub", [
        graph.op("CumSum", ["attention_mask", graph.int(1)]),
        graph.ints(1),
      ]);
      return graph.op("Slice", [
        sums,
        graph.op("Neg", [length]),
        graph.ints(endOfAxis),
        graph.ints(1),
      ]);
    }
    // From as many as the mask's ones are more than the ids.
    const starts = graph.op("Unsqueeze", [graph.op("Sub", [ones(), length]), graph.ints(1)]);
    return graph.op("Add", [starts, range(graph, graph.ints(0), length)]);
  };
  const made = new Map<number, readonly [string, string]>();
  const tables = (size: number): readonly [string, string] => {
    let both = made.get(size);
    if (both === undefined) made.set(size, (both = addTables(graph, layout, size)));
    return both;
  };
  const bias =
    layout.bias === undefined || layout.bias === "attribute"
      ? undefined
      : addBias(graph, layout.bias, length, past);
  return { last, total, positions: places(), tables, bias };
}

/** The past's length, of which a branch of an `If` alone has the shape, [1]. */
function pastInBranch(graph: ConcatGraph): string {
  const axis = graph.ints(2);
  const branch = (name: string, layer: number): Attribute => {
    const output = `${name}.length`;
    const nodes = [
      {
        name: `${name}.shape`,
        operator: "Shape",
        inputs: [`past_key_values.${layer}.value`],
        outputs: [`${name}.shape`],
      },
      { name: output, operator: "Gather", inputs: [`${name}.shape`, axis], outputs: [output] },
    ];
    return { graph: { name, nodes, inputs: [], outputs: [{ name: output }] } };
  };
  const isSingle = graph.op("Equal", [scalar(graph, sizeOf(graph, "input_ids", 1)), graph.int(1)]);
  return graph.op("If", [isSingle], {
    then_branch: branch("decode", 0),
    else_branch: branch("prefill", 1),
  });
}

/** For graphs without an `If`: all positions as many further as the short table has. */
function addShiftedPositions(graph: ConcatGraph): string {
  const most = graph.op("ReduceMax", ["position_ids"], { keepdims: { int: 0 } });
  const isLong = graph.op("GreaterOrEqual", [most, graph.int(longBorder)]);
  const shift = graph.op("Mul", [graph.cast(isLong, int64), graph.int(longBorder)]);
  return graph.op("Add", [shift, "position_ids"]);
}

/** Later keys are not seen, and older ones less, [1, 1, ids, keys]. */
function addBias(
  graph: ConcatGraph,
  from: "mask" | "past" | "window" | "bool",
  length: string,
  past: () => string,
): string {
  const total =
    from === "past" ? graph.op("Add", [past(), length]) : sizeOf(graph, "attention_mask", 1);
  const start = graph.op("Sub", [total, length]);
  const rows = graph.op("Unsqueeze", [range(graph, start, total), graph.ints(1)]);
  const columns = range(graph, graph.ints(0), total);
  const isSeen = graph.op("LessOrEqual", [columns, rows]);
  if (from === "bool") return graph.op("Unsqueeze", [isSeen, graph.ints(0, 1)]);
  if (from === "window") {
    const first = graph.op("Sub", [rows, graph.ints(biasWindow)]);
    const isNear = graph.op("And", [isSeen, graph.op("Greater", [columns, first])]);
    const bias = graph.op("Where", [isNear, graph.number(0), graph.number(-10_000)]);
    return graph.op("Unsqueeze", [bias, graph.ints(0, 1)]);
  }
  const distance = graph.cast(graph.op("Sub", [columns, rows]), graph.float);
  const slope = graph.op("Mul", [distance, graph.number(0.125)]);
  const bias = graph.op("Where", [isSeen, slope, graph.number(-10_000)]);
  return graph.op("Unsqueeze", [bias, graph.ints(0, 1)]);
}
