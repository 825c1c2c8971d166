import type { ConcatGraph } from "./concat-graph.js";

/** A dimension of a value, [1]. */
export function sizeOf(graph: ConcatGraph, value: string, axis: number): string {
  return graph.op("Gather", [graph.op("Shape", [value]), graph.ints(axis)]);
}

export function scalar(graph: ConcatGraph, value: string): string {
  return graph.op("Squeeze", [value, graph.ints(0)]);
}

/** Numbers from one on and before another, [n]. */
export function range(graph: ConcatGraph, from: string, end: string): string {
  return graph.op("Range", [scalar(graph, from), scalar(graph, end), graph.int(1)]);
}
