import type { GraphBuilder } from "./graph-builder.js";
import type { Rotation } from "./decoder-shape.js";
import type { GraphNode } from "../protobuf.js";

/** Positions computed at once. */
const positionsPerPiece = 4096;

/** Names of tables [positions, half of what is turned], as GroupQueryAttention takes them. */
export type RotaryTables = readonly [cosines: string, sines: string];

/**
 * Adds the tables of a rotation. Where long contexts have frequencies of their own, an `If` on the
 * number of ids picks: the engine finds such a border by itself and runs a sequence that crosses it
 * anew (see `findLengthBorder`).
 *
 * @param idCount int64 [1]: how many ids there are, those of the cache included
 */
export function addRotaryTables(
  builder: GraphBuilder,
  { name, frequencies, scale, long }: Rotation,
  contextLength: number,
  idCount: string,
): RotaryTables {
  const tables = (prefix: string, length: number, of: readonly number[]): RotaryTables => {
    const table = (part: string, wave: (angle: number) => number): string =>
      builder.floats(`${prefix}.${part}`, [length, of.length], () =>
        rotaryTable(of, length, (angle) => wave(angle) * scale),
      );
    return [table("cosines", Math.cos), table("sines", Math.sin)];
  };
  if (long === undefined || long.beyond >= contextLength) {
    return tables(name, contextLength, frequencies);
  }
  const branches = {
    then_branch: picking(`${name}.long`, tables(`${name}.long`, contextLength, long.frequencies)),
    else_branch: picking(`${name}.short`, tables(`${name}.short`, long.beyond, frequencies)),
  };
  const border = builder.integers(`${name}.border`, [long.beyond]);
  const isLong = builder.node("Greater", [idCount, border], [`${name}.is_long`]);
  const picked = [`${name}.cosines`, `${name}.sines`] as const;
  builder.node("If", [isLong], picked, { attributes: branches });
  return picked;
}

/** A branch that gives tables of the graph around it. */
function picking(name: string, tables: RotaryTables): { readonly graph: BranchGraph } {
  const nodes = tables.map((table) => {
    const output = `${table}.picked`;
    return { name: output, operator: "Identity", inputs: [table], outputs: [output] };
  });
  const outputs = nodes.map((node) => ({ name: node.name }));
  return { graph: { name, nodes, inputs: [], outputs } };
}

interface BranchGraph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly never[];
  readonly outputs: readonly { readonly name: string }[];
}

/**
 * A wave at position · frequency, [positions, frequencies], in pieces of whole positions: contexts
 * can be a million long.
 */
function* rotaryTable(
  frequencies: readonly number[],
  positions: number,
  wave: (angle: number) => number,
): Generator<Float32Array> {
  const width = frequencies.length;
  for (let start = 0; start < positions; start += positionsPerPiece) {
    const count = Math.min(positionsPerPiece, positions - start);
    const piece = new Float32Array(count * width);
    for (let position = 0; position < count; position++) {
      for (const [i, frequency] of frequencies.entries()) {
        piece[position * width + i] = wave((start + position) * frequency);
      }
    }
    yield piece;
  }
}
