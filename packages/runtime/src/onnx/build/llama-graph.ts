import { GraphBuilder, microsoft, type BuiltGraph, type WeightPart } from "./graph-builder.js";
import type { LlamaShape } from "./llama-config.js";
import { addMatrix, addTable, lookUp, multiply } from "./matrix.js";
import type { NumberFormat } from "../model-dtype.js";
import { ElementType, type GraphValue } from "../protobuf.js";
import { rotaryTable } from "./rotary.js";

/**
 * Builds the decoder graph of a Llama-family model for onnxruntime, with the
 * input and output names of a Hugging Face export. Its floats are those of the
 * format, but logits are always float32:
 *
 * ```text
 * in   input_ids                    int64   [batch_size, sequence_length]
 *      attention_mask               int64   [batch_size, total_sequence_length]
 *      past_key_values.N.key|value  float   [batch_size, kvHeads, past_sequence_length, headDim]
 * out  logits                       float32 [batch_size, sequence_length, vocabulary]
 *      present.N.key|value          float   [batch_size, kvHeads, total_sequence_length, headDim]
 * ```
 *
 * How many rows of a past are valid is read off the attention mask (the ones in
 * each row, less the new tokens), so a past may have room behind them: its
 * `present` is then as long as the past itself. Rows of a batch may differ in
 * length; the mask is padded on the right.
 *
 * All matrices keep the checkpoint's [out, in] layout. The projections to
 * queries, keys and values are stacked into one where no norm stands between.
 */
export function buildLlamaGraph(shape: LlamaShape, format: NumberFormat): BuiltGraph {
  const builder = new GraphBuilder(format);
  const shared = addSharedValues(builder, shape);
  const { hiddenSize, vocabularySize } = shape;
  const embedding = addTable(builder, "model.embed_tokens.weight", vocabularySize, hiddenSize);

  let stream: ResidualStream = { sum: lookUp(builder, embedding, "input_ids", "embedded") };
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    stream = addNorm(builder, shape, stream, `${at}.input_layernorm`);
    stream = addAttention(builder, shape, stream, layer, shared);
    stream = addNorm(builder, shape, stream, `${at}.post_attention_layernorm`);
    stream = addFeedForward(builder, shape, stream, `${at}.mlp`);
  }
  const { branch = "" } = addNorm(builder, shape, stream, "model.norm");
  const headName = "lm_head.weight";
  const head = shape.tiedEmbeddings
    ? embedding
    : addMatrix(builder, headName, [{ name: headName, rows: vocabularySize }], hiddenSize);
  if (format.float === ElementType.float32) multiply(builder, branch, head, "logits");
  else {
    const narrow = multiply(builder, branch, head, "logits.float16");
    builder.node("Cast", [narrow], ["logits"], {
      attributes: { to: { int: ElementType.float32 } },
    });
  }

  const inputs = inputsOf(shape, format.float);
  const outputs = outputsOf(shape, format.float);
  return builder.build("llama", inputs, outputs, { "": 17, [microsoft]: 1 });
}

/**
 * The residual stream between two nodes: its sum so far, and the branch which
 * is either computed from it or still to be added to it by the next norm.
 */
interface ResidualStream {
  readonly sum: string;
  readonly branch?: string;
}

/** Values all layers read; see `GroupQueryAttention`'s inputs 5 to 8. */
type SharedValues = readonly [
  lastPositions: string,
  totalLength: string,
  cosines: string,
  sines: string,
];

function addSharedValues(builder: GraphBuilder, shape: LlamaShape): SharedValues {
  const one = builder.integers("one", [1]);
  const toInt32 = { attributes: { to: { int: ElementType.int32 } } };
  const lengths = builder.node("ReduceSum", ["attention_mask", one], ["lengths"], {
    attributes: { keepdims: { int: 0 } },
  });
  const last = builder.node("Sub", [lengths, one], ["last_positions.int64"]);
  const total = builder.node("Shape", ["attention_mask"], ["total_length.int64"], {
    attributes: { start: { int: 1 }, end: { int: 2 } },
  });
  const table = (name: string, wave: (angle: number) => number): string =>
    builder.floats(name, [shape.contextLength, shape.headDimension / 2], () =>
      rotaryTable(shape, wave),
    );
  return [
    builder.node("Cast", [last], ["last_positions"], toInt32),
    builder.node("Cast", [total], ["total_length"], toInt32),
    table("rotary.cosines", Math.cos),
    table("rotary.sines", Math.sin),
  ];
}

/** Adds the open branch to the sum, and normalises the result into a new branch. */
function addNorm(
  builder: GraphBuilder,
  shape: LlamaShape,
  { sum, branch }: ResidualStream,
  at: string,
): ResidualStream {
  const scale = addVector(builder, `${at}.weight`, shape.hiddenSize);
  const attributes = { epsilon: { float: shape.normEpsilon } };
  const output = `${at}.output`;
  if (branch === undefined) {
    builder.node("SimplifiedLayerNormalization", [sum, scale], [output], { attributes });
    return { sum, branch: output };
  }
  const newSum = `${at}.sum`;
  builder.node("SkipSimplifiedLayerNormalization", [sum, branch, scale], [output, "", "", newSum], {
    domain: microsoft,
    attributes,
  });
  return { sum: newSum, branch: output };
}

function addAttention(
  builder: GraphBuilder,
  shape: LlamaShape,
  { sum, branch = "" }: ResidualStream,
  layer: number,
  shared: SharedValues,
): ResidualStream {
  const at = `model.layers.${layer}.self_attn`;
  const { hiddenSize, headDimension, attentionBias } = shape;
  const queryWidth = shape.attentionHeads * headDimension;
  const keyWidth = shape.keyValueHeads * headDimension;
  const project = (name: string, ...parts: readonly [letter: string, rows: number][]): string => {
    const named = (what: string): WeightPart[] =>
      parts.map(([letter, rows]) => ({ name: `${at}.${letter}_proj.${what}`, rows }));
    const matrix = addMatrix(builder, `${at}.${name}_proj.weight`, named("weight"), hiddenSize);
    if (attentionBias === undefined) return multiply(builder, branch, matrix, `${at}.${name}`);
    const bias = builder.weight(`${at}.${name}_proj.bias`, named("bias"));
    const product = multiply(builder, branch, matrix, `${at}.${name}.product`);
    return builder.node("Add", [product, bias], [`${at}.${name}`]);
  };
  const stacked = (): string[] => [
    project("qkv", ["q", queryWidth], ["k", keyWidth], ["v", keyWidth]),
    "",
    "",
  ];
  const normalised = (): string[] => [
    addHeadNorm(builder, shape, project("q", ["q", queryWidth]), `${at}.q_norm`),
    addHeadNorm(builder, shape, project("k", ["k", keyWidth]), `${at}.k_norm`),
    project("v", ["v", keyWidth]),
  ];
  const past = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`];
  const heads = builder.node(
    "GroupQueryAttention",
    [...(shape.headNorms === true ? normalised() : stacked()), ...past, ...shared],
    [`${at}.heads`, `present.${layer}.key`, `present.${layer}.value`],
    {
      domain: microsoft,
      attributes: {
        num_heads: { int: shape.attentionHeads },
        kv_num_heads: { int: shape.keyValueHeads },
        do_rotary: { int: 1 },
      },
    },
  );
  const output = addMatrix(
    builder,
    `${at}.o_proj.weight`,
    [{ name: `${at}.o_proj.weight`, rows: hiddenSize }],
    queryWidth,
  );
  if (attentionBias !== "all") {
    return { sum, branch: multiply(builder, heads, output, `${at}.output`) };
  }
  const product = multiply(builder, heads, output, `${at}.output.product`);
  const bias = addVector(builder, `${at}.o_proj.bias`, hiddenSize);
  return { sum, branch: builder.node("Add", [product, bias], [`${at}.output`]) };
}

/** Normalises each head's part of the last axis, all by one scale. */
function addHeadNorm(
  builder: GraphBuilder,
  { headDimension, normEpsilon }: LlamaShape,
  input: string,
  at: string,
): string {
  const scale = addVector(builder, `${at}.weight`, headDimension);
  const apart = builder.integers(`${at}.heads_apart`, [0, 0, -1, headDimension]);
  const together = builder.integers(`${at}.heads_together`, [0, 0, -1]);
  const heads = builder.node("Reshape", [input, apart], [`${at}.input`]);
  const attributes = { epsilon: { float: normEpsilon } };
  const norm = builder.node("SimplifiedLayerNormalization", [heads, scale], [`${at}.by_head`], {
    attributes,
  });
  return builder.node("Reshape", [norm, together], [`${at}.output`]);
}

/** down(silu(gate(x)) · up(x)) */
function addFeedForward(
  builder: GraphBuilder,
  shape: LlamaShape,
  { sum, branch = "" }: ResidualStream,
  at: string,
): ResidualStream {
  const { hiddenSize, intermediateSize } = shape;
  const project = (part: string, input: string, rows: number, columns: number): string => {
    const name = `${at}.${part}_proj.weight`;
    const matrix = addMatrix(builder, name, [{ name, rows }], columns);
    return multiply(builder, input, matrix, `${at}.${part}`);
  };
  const gate = project("gate", branch, intermediateSize, hiddenSize);
  const up = project("up", branch, intermediateSize, hiddenSize);
  const sigmoid = builder.node("Sigmoid", [gate], [`${at}.sigmoid`]);
  const silu = builder.node("Mul", [gate, sigmoid], [`${at}.silu`]);
  const gated = builder.node("Mul", [silu, up], [`${at}.gated`]);
  return { sum, branch: project("down", gated, hiddenSize, intermediateSize) };
}

function addVector(builder: GraphBuilder, name: string, size: number): string {
  return builder.weight(name, [{ name, rows: size }]);
}

function inputsOf(shape: LlamaShape, float: NumberFormat["float"]): GraphValue[] {
  const integers = (name: string, length: string): GraphValue => ({
    name,
    type: { element: ElementType.int64, dimensions: ["batch_size", length] },
  });
  return [
    integers("input_ids", "sequence_length"),
    integers("attention_mask", "total_sequence_length"),
    ...cacheValues(shape, float, "past_key_values", "past_sequence_length"),
  ];
}

function outputsOf(shape: LlamaShape, float: NumberFormat["float"]): GraphValue[] {
  const dimensions = ["batch_size", "sequence_length", shape.vocabularySize];
  return [
    { name: "logits", type: { element: ElementType.float32, dimensions } },
    ...cacheValues(shape, float, "present", "total_sequence_length"),
  ];
}

function cacheValues(
  shape: LlamaShape,
  float: NumberFormat["float"],
  prefix: string,
  length: string,
): GraphValue[] {
  const dimensions = ["batch_size", shape.keyValueHeads, length, shape.headDimension];
  return Array.from({ length: shape.layers }, (_, layer) =>
    ["key", "value"].map((part) => ({
      name: `${prefix}.${layer}.${part}`,
      type: { element: float, dimensions },
    })),
  ).flat();
}
