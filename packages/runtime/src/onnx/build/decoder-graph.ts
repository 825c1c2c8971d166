import { addAttention, type SharedValues } from "./attention.js";
import type { DecoderShape } from "./decoder-shape.js";
import { addFeedForward } from "./feed-forward.js";
import { GraphBuilder, microsoft, type BuiltGraph } from "./graph-builder.js";
import { addMatrix, addTable, lookUp, multiply } from "./matrix.js";
import type { NumberFormat } from "../model-dtype.js";
import { ElementType, type GraphValue } from "../protobuf.js";
import { addNorm, openBranch, type NormWeight, type ResidualStream } from "./residual-stream.js";
import { addRotaryTables } from "./rotary.js";

/**
 * Builds a decoder's graph for onnxruntime, with the input and output names of
 * a Hugging Face export. Its floats are those of the format, but logits are
 * always float32:
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
 * All matrices keep the checkpoint's [out, in] layout.
 */
export function buildDecoderGraph(shape: DecoderShape, format: NumberFormat): BuiltGraph {
  const builder = new GraphBuilder(format);
  const shared = addSharedValues(builder, shape);
  const { hiddenSize, vocabularySize, norms, multipliers } = shape;
  const embedding = addTable(builder, "model.embed_tokens.weight", vocabularySize, hiddenSize);
  const embedded = lookUp(builder, embedding, "input_ids", "embedded");

  let stream: ResidualStream = {
    sum: scaled(builder, embedded, multipliers.embedding, "embedded.scaled"),
  };
  /** Adds a branch between two norms, either of which a family may lack. */
  const branch = (
    at: string,
    before: NormWeight | undefined,
    after: NormWeight | undefined,
    compute: (input: string) => string,
  ): void => {
    const { sum, input } = openBranch(builder, norms, stream, before, at);
    const computed = compute(input);
    const normal = after === undefined ? computed : addNorm(builder, norms, computed, after);
    stream = { sum, branch: scaled(builder, normal, multipliers.residual, `${at}.scaled`) };
  };
  for (const layer of shape.layers.keys()) {
    const at = `model.layers.${layer}`;
    const norm = (name: string | undefined): NormWeight | undefined =>
      name === undefined ? undefined : { at: `${at}.${name}`, size: hiddenSize };
    branch(`${at}.self_attn`, norm(norms.beforeAttention), norm(norms.afterAttention), (input) =>
      addAttention(builder, shape, layer, input, shared),
    );
    branch(`${at}.mlp`, norm(norms.beforeFeedForward), norm(norms.afterFeedForward), (input) =>
      addFeedForward(builder, shape, `${at}.mlp`, input),
    );
  }
  // What the logits are divided by is in the weight in front of them.
  const finalNorm = { at: "model.norm", size: hiddenSize, divisor: multipliers.logitsDivisor };
  const { input: last } = openBranch(builder, norms, stream, finalNorm, "model");
  const headName = "lm_head.weight";
  const head = shape.tiedEmbeddings
    ? embedding
    : addMatrix(builder, headName, [{ name: headName, rows: vocabularySize }], hiddenSize);
  if (format.float === ElementType.float32) multiply(builder, last, head, "logits");
  else {
    const narrow = multiply(builder, last, head, "logits.float16");
    builder.node("Cast", [narrow], ["logits"], {
      attributes: { to: { int: ElementType.float32 } },
    });
  }

  const inputs = inputsOf(shape, format.float);
  const outputs = outputsOf(shape, format.float);
  return builder.build("decoder", inputs, outputs, { "": 17, [microsoft]: 1 });
}

function scaled(builder: GraphBuilder, value: string, factor: number, name: string): string {
  if (factor === 1) return value;
  return builder.node("Mul", [value, builder.number(`${name}.factor`, factor)], [name]);
}

function addSharedValues(builder: GraphBuilder, shape: DecoderShape): SharedValues {
  const one = builder.integers("one", [1]);
  const toInt32 = { attributes: { to: { int: ElementType.int32 } } };
  const lengths = builder.node("ReduceSum", ["attention_mask", one], ["lengths"], {
    attributes: { keepdims: { int: 0 } },
  });
  const last = builder.node("Sub", [lengths, one], ["last_positions.int64"]);
  const total = builder.node("Shape", ["attention_mask"], ["total_length.int64"], {
    attributes: { start: { int: 1 }, end: { int: 2 } },
  });
  return {
    lastPositions: builder.node("Cast", [last], ["last_positions"], toInt32),
    totalLength: builder.node("Cast", [total], ["total_length"], toInt32),
    tables: shape.rotations.map((rotation) =>
      addRotaryTables(builder, rotation, shape.contextLength, total),
    ),
  };
}

function inputsOf(shape: DecoderShape, float: NumberFormat["float"]): GraphValue[] {
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

function outputsOf(shape: DecoderShape, float: NumberFormat["float"]): GraphValue[] {
  const dimensions = ["batch_size", "sequence_length", shape.vocabularySize];
  return [
    { name: "logits", type: { element: ElementType.float32, dimensions } },
    ...cacheValues(shape, float, "present", "total_sequence_length"),
  ];
}

function cacheValues(
  { attention, layers }: DecoderShape,
  float: NumberFormat["float"],
  prefix: string,
  length: string,
): GraphValue[] {
  const dimensions = ["batch_size", attention.keyValueHeads, length, attention.headDimension];
  return layers.flatMap((_, layer) =>
    ["key", "value"].map((part) => ({
      name: `${prefix}.${layer}.${part}`,
      type: { element: float, dimensions },
    })),
  );
}
