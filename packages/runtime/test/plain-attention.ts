import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GraphBuilder } from "../src/onnx/build/graph-builder.js";
import { randomWeights } from "../src/onnx/build/weights.js";
import { writeModelFiles } from "../src/onnx/build/model-file.js";
import { layOutModel } from "../src/onnx/build/model-layout.js";
import { ElementType, type Attribute, type GraphValue } from "../src/onnx/protobuf.js";

/** What else than ids, mask and cache a {@link writePlainAttention} graph takes. */
export interface PlainAttentionInputs {
  readonly positions?: boolean;
  /**
   * `use_cache_branch`: the logits are NaN unless it is false on an empty cache, and true for one
   * id behind it.
   */
  readonly branch?: boolean;
  /** `num_logits_to_keep` */
  readonly logitsCount?: boolean;
}

export const plainAttention = { vocabulary: 50, context: 600 };
const [width, heads, headWidth] = [16, 2, 8];
const boolean = 9 as number as ElementType;

/**
 * A decoder of one layer whose cache grows by `Concat`, as older exports have it,
 * with random weights and learnt positions. Its folder is in Hugging Face's layout.
 */
export async function writePlainAttention(
  folder: string,
  inputs: PlainAttentionInputs,
  graphName = "model.onnx",
): Promise<void> {
  const { vocabulary, context } = plainAttention;
  const builder = new GraphBuilder({ float: ElementType.float32 });
  const node = (
    operator: string,
    from: readonly string[],
    to: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string => builder.node(operator, from, [to], { attributes });
  const integers = (name: string, ...values: number[]): string => builder.integers(name, values);
  const weight = (name: string, rows: number, columns: number): string =>
    builder.floats(name, [rows, columns], () => [spread(name, rows * columns)]);

  const one = integers("one", 1);
  const zero = integers("zero", 0);
  const lengthOf = (input: string): string =>
    node("Gather", [node("Shape", [input], `${input}.shape`), one], `${input}.length`);
  const length = lengthOf("input_ids");
  const total = lengthOf("attention_mask");
  const start = node("Sub", [total, length], "past.length");
  const scalar = (value: string): string => node("Squeeze", [value, zero], `${value}.scalar`);
  const [startAt, endAt] = [scalar(start), scalar(total)];
  const step = scalar(one);
  const columns = node("Range", [scalar(zero), endAt, step], "columns");
  const rows = node("Unsqueeze", [node("Range", [startAt, endAt, step], "range"), one], "rows");
  const visible = node("LessOrEqual", [columns, rows], "visible");

  const positions = inputs.positions === true ? "position_ids" : node("Squeeze", [rows, one], "at");
  const embedded = node("Gather", [weight("embedding", vocabulary, width), "input_ids"], "words");
  const placed = node("Gather", [weight("places", context, width), positions], "placed");
  const hidden = node("Add", [embedded, placed], "hidden");

  const split = integers("split", 0, 0, heads, headWidth);
  const byHead = { perm: { ints: [0, 2, 1, 3] } };
  const project = (part: string): string => {
    const product = node("MatMul", [hidden, weight(`${part}.weight`, width, width)], part);
    return node(
      "Transpose",
      [node("Reshape", [product, split], `${part}.split`)],
      `${part}s`,
      byHead,
    );
  };
  const cached = (part: string): string =>
    node("Concat", [`past_key_values.0.${part}`, project(part)], `present.0.${part}`, {
      axis: { int: 2 },
    });
  const keys = node("Transpose", [cached("key")], "keys.turned", { perm: { ints: [0, 1, 3, 2] } });
  const scores = node("MatMul", [project("query"), keys], "scores");
  const never = builder.floats("never", [1], () => [Float32Array.of(-1e9)]);
  const masked = node("Where", [visible, scores, never], "masked");
  const shares = node("Softmax", [masked], "shares", { axis: { int: 3 } });
  const seen = node("MatMul", [shares, cached("value")], "seen");
  const flat = node(
    "Reshape",
    [node("Transpose", [seen], "seen.turned", byHead), integers("join", 0, 0, width)],
    "joined",
  );
  let last = node("Add", [hidden, flat], "last");
  if (inputs.logitsCount === true) {
    const count = node("Unsqueeze", ["num_logits_to_keep", zero], "count");
    const from = node("Sub", [length, count], "first.kept");
    last = node("Slice", [last, from, length, one], "kept");
  }
  const head = weight("head", width, vocabulary);
  if (inputs.branch === true) {
    const plain = node("MatMul", [last, head], "logits.plain");
    const reads = node("Greater", [start, zero], "reads.cache");
    const isTold = node("Equal", ["use_cache_branch", reads], "is.told");
    const single = node("Equal", [length, one], "single");
    const fits = node("Or", [node("Not", [reads], "is.first"), single], "fits");
    const right = node("And", [isTold, fits], "right");
    const wrong = builder.floats("wrong", [1], () => [Float32Array.of(Number.NaN)]);
    node("Where", [right, plain, wrong], "logits");
  } else node("MatMul", [last, head], "logits");

  const value = (
    name: string,
    element: ElementType,
    ...dimensions: readonly (number | string)[]
  ): GraphValue => ({ name, type: { element, dimensions } });
  const { int64, float32 } = ElementType;
  const cache = (prefix: string, rowsName: string): GraphValue[] =>
    ["key", "value"].map((part) =>
      value(`${prefix}.0.${part}`, float32, "batch_size", heads, rowsName, headWidth),
    );
  const graph = builder.build(
    "plain",
    [
      value("input_ids", int64, "batch_size", "sequence_length"),
      value("attention_mask", int64, "batch_size", "total_sequence_length"),
      ...(inputs.positions === true
        ? [value("position_ids", int64, "batch_size", "sequence_length")]
        : []),
      ...(inputs.branch === true ? [value("use_cache_branch", boolean, 1)] : []),
      ...(inputs.logitsCount === true ? [value("num_logits_to_keep", int64)] : []),
      ...cache("past_key_values", "past_sequence_length"),
    ],
    [
      value("logits", float32, "batch_size", "logits_length", vocabulary),
      ...cache("present", "total_sequence_length"),
    ],
    { "": 17 },
  );
  await mkdir(join(folder, "onnx"), { recursive: true });
  const config = { model_type: "plain", vocab_size: vocabulary, max_position_embeddings: context };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const layout = layOutModel(join(folder, "onnx", graphName), graph, false);
  await writeModelFiles(layout, graph.tensorGroups, randomWeights(1), () => undefined);
}

/** Numbers from −1.5 to 1.5 that depend on the name and the place alone. */
function spread(name: string, count: number): Float32Array {
  let state = Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) | 0, 7);
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 2 ** 31) * 1.5;
  });
}
