import { ElementType, type Attribute } from "../../src/onnx/protobuf.js";
import type { ConcatGraph } from "./concat-graph.js";
import { groupQuerySizes, longBorder, type GroupQueryLayout } from "./group-query-layout.js";
import { range, scalar, sizeOf } from "./lengths.js";

const { context } = groupQuerySizes;

/** cos and sin of each position's angles, [positions, half a head]. */
export function addTables(
  graph: ConcatGraph,
  { longRope }: GroupQueryLayout,
  size: number,
): readonly [cosines: string, sines: string] {
  const half = size / 2;
  const waves = [
    ["cos", Math.cos],
    ["sin", Math.sin],
  ] as const;
  const frequency = (isLong: boolean, at: number): number => 100 ** (-at / half) / (isLong ? 3 : 1);
  const angles = (count: number, isLong: boolean): number[] =>
    Array.from(
      { length: count * half },
      (_, at) => Math.floor(at / half) * frequency(isLong, at % half),
    );
  const table = (name: string, count: number, values: () => number[]): string =>
    graph.numbers(`${name}_${size}`, [count, half], () => Float32Array.from(values()));

  if (longRope === undefined) {
    const both = waves.map(([name, wave]) =>
      table(`${name}_cache`, context, () => angles(context, false).map(wave)),
    );
    return both as [string, string];
  }
  if (longRope === "positions behind the short table") {
    const both = waves.map(([name, wave]) =>
      table(`${name}_cache`, longBorder + context, () =>
        [...angles(longBorder, false), ...angles(context, true)].map(wave),
      ),
    );
    return both as [string, string];
  }
  if (longRope === "Where by positions") {
    const most = graph.op("ReduceMax", ["position_ids"], { keepdims: { int: 0 } });
    const isLong = graph.op("GreaterOrEqual", [most, graph.int(longBorder)]);
    const row = (name: string, long: boolean): string =>
      graph.numbers(name, [1, half], () =>
        Float32Array.from({ length: half }, (_, at) => frequency(long, at)),
      );
    const frequencies = graph.op("Where", [
      isLong,
      row("long_inv_freq", true),
      row("short_inv_freq", false),
    ]);
    const all = graph.cast(range(graph, graph.ints(0), graph.ints(context)), ElementType.float32);
    const turns = graph.op("Mul", [graph.op("Unsqueeze", [all, graph.ints(1)]), frequencies]);
    return [graph.op("Cos", [turns]), graph.op("Sin", [turns])];
  }
  // The long table has all positions, and the short one those of the first context.
  const isLong = graph.op("Greater", [
    scalar(graph, sizeOf(graph, "attention_mask", 1)),
    graph.int(longBorder),
  ]);
  const branch = (name: string, count: number, long: boolean): Attribute => {
    const nodes = waves.map(([wave, of]) => {
      const values = table(`${wave}_cache_${name}`, count, () => angles(count, long).map(of));
      const output = `${values}_picked`;
      return { name: output, operator: "Identity", inputs: [values], outputs: [output] };
    });
    const outputs = nodes.map(({ name: picked }) => ({ name: picked }));
    return { graph: { name: `${name}_rotemb_caches_graph`, nodes, inputs: [], outputs } };
  };
  const [cosines, sines] = graph.several("If", [isLong], 2, {
    then_branch: branch("large", context, true),
    else_branch: branch("small", longBorder, false),
  });
  return [cosines, sines as string];
}
