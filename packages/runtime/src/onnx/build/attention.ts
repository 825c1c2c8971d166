import type { AttentionShape, DecoderShape, LayerShape } from "./decoder-shape.js";
import { microsoft, type GraphBuilder, type WeightPart } from "./graph-builder.js";
import { addMatrix, multiply } from "./matrix.js";
import { addNorm } from "./residual-stream.js";
import type { RotaryTables } from "./rotary.js";

/** Values that the attention of all layers reads. */
export interface SharedValues {
  /** Index of each row's last id in its context: int32 [batch]. */
  readonly lastPositions: string;
  /** Width of the attention mask: int32 [1]. */
  readonly totalLength: string;
  /** By index of `DecoderShape.rotations`. */
  readonly tables: readonly RotaryTables[];
}

type Part = "q" | "k" | "v";

/**
 * Adds the attention of a layer, from normalised ids to what is added to the residual stream.
 *
 * The projections to queries, keys and values are stacked into one where no norm stands between.
 * Norms are nodes of their own; GroupQueryAttention turns, looks back by the layer's window, and
 * appends to the cache.
 */
export function addAttention(
  builder: GraphBuilder,
  shape: DecoderShape,
  layer: number,
  input: string,
  shared: SharedValues,
): string {
  const { attention, hiddenSize } = shape;
  const at = `model.layers.${layer}.self_attn`;
  const { rotation, window } = shape.layers[layer] as LayerShape;
  const tables = rotation === undefined ? undefined : shared.tables[rotation];
  const past = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`];
  const heads = builder.node(
    "GroupQueryAttention",
    [
      ...addProjections(builder, shape, at, input),
      ...past,
      shared.lastPositions,
      shared.totalLength,
      ...(tables ?? []),
    ],
    [`${at}.heads`, `present.${layer}.key`, `present.${layer}.value`],
    {
      domain: microsoft,
      attributes: {
        num_heads: { int: attention.heads },
        kv_num_heads: { int: attention.keyValueHeads },
        do_rotary: { int: tables === undefined ? 0 : 1 },
        ...(attention.scale === undefined ? {} : { scale: { float: attention.scale } }),
        ...(window === undefined ? {} : { local_window_size: { int: window } }),
      },
    },
  );
  const output = { name: `${at}.o_proj.weight`, rows: hiddenSize };
  const width = attention.heads * attention.headDimension;
  const matrix = addMatrix(builder, output.name, [output], width);
  if (attention.bias !== "all") return multiply(builder, heads, matrix, `${at}.output`);
  const product = multiply(builder, heads, matrix, `${at}.output.product`);
  const name = `${at}.o_proj.bias`;
  const bias = builder.weight(name, [{ name, rows: hiddenSize }]);
  return builder.node("Add", [product, bias], [`${at}.output`]);
}

/** Inputs 0 to 2 of GroupQueryAttention: queries, keys and values, or all in the first. */
function addProjections(
  builder: GraphBuilder,
  { attention, hiddenSize, norms }: DecoderShape,
  at: string,
  input: string,
): readonly [string, string, string] {
  const rows = rowsOf(attention);
  const project = (name: string, parts: readonly Part[]): string => {
    const named = (what: string): WeightPart[] =>
      attention.stacked === true
        ? [{ name: `${at}.qkv_proj.${what}`, rows: rows.q + rows.k + rows.v }]
        : parts.map((part) => ({ name: `${at}.${part}_proj.${what}`, rows: rows[part] }));
    const matrix = addMatrix(builder, `${at}.${name}_proj.weight`, named("weight"), hiddenSize);
    if (attention.bias === undefined) return multiply(builder, input, matrix, `${at}.${name}`);
    const bias = builder.weight(`${at}.${name}_proj.bias`, named("bias"));
    const product = multiply(builder, input, matrix, `${at}.${name}.product`);
    return builder.node("Add", [product, bias], [`${at}.${name}`]);
  };
  if (attention.queryKeyNorm === undefined) return [project("qkv", ["q", "k", "v"]), "", ""];
  const normalised = (part: "q" | "k"): string => {
    const projected = project(part, [part]);
    const norm = `${at}.${part}_norm`;
    return attention.queryKeyNorm === "projection"
      ? addNorm(builder, norms, projected, { at: norm, size: rows[part] })
      : addHeadNorm(builder, norms, attention.headDimension, projected, norm);
  };
  return [normalised("q"), normalised("k"), project("v", ["v"])];
}

function rowsOf({ heads, keyValueHeads, headDimension }: AttentionShape): Record<Part, number> {
  const keys = keyValueHeads * headDimension;
  return { q: heads * headDimension, k: keys, v: keys };
}

/** Normalises each head's part of the last axis, all by one scale. */
function addHeadNorm(
  builder: GraphBuilder,
  norms: DecoderShape["norms"],
  size: number,
  input: string,
  at: string,
): string {
  const apart = builder.integers(`${at}.heads_apart`, [0, 0, -1, size]);
  const together = builder.integers(`${at}.heads_together`, [0, 0, -1]);
  const heads = builder.node("Reshape", [input, apart], [`${at}.input`]);
  const norm = addNorm(builder, norms, heads, { at, size }, `${at}.by_head`);
  return builder.node("Reshape", [norm, together], [`${at}.output`]);
}
