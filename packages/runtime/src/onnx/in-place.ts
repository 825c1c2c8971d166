import type { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf } from "@streamgauge/core";
import type { GraphSummary } from "./graph-summary.js";
import {
  ElementType,
  encodeModelHeader,
  encodeTensorHeader,
  type GraphNode,
  type TensorHeader,
} from "./protobuf.js";

/** Output of a patched model: logits of each row's last position only, float [batch, vocabulary]. */
export const lastLogitsOutput = "streamgauge.last_logits";

/** Output of a patched model: the largest of each row's last logits, float [batch]. */
export const largestLogitsOutput = "streamgauge.largest_logits";

/** Output of a patched model, its first, that the binding cannot hand over: see {@link runInPlace}. */
export const endOutput = "streamgauge.end";

/**
 * Whether a model can run with {@link inPlacePatch}: all its caches are written by
 * GroupQueryAttention, which alone reads no more rows of a buffer than are valid and
 * adds to them where they are, and it has Hugging Face's names.
 */
export function canRunInPlace(summary: GraphSummary): boolean {
  const { operatorSets, inputs, outputs, producers } = summary;
  const presents = outputs.filter((name) => name.startsWith("present."));
  return (
    // Operator set 13 made the axes of ReduceSum an input.
    (operatorSets.get("") ?? 0) >= 13 &&
    ["input_ids", "attention_mask"].every((name) => inputs.includes(name)) &&
    outputs.includes("logits") &&
    presents.length > 0 &&
    presents.every(
      (name) =>
        inputs.includes(name.replace("present", "past_key_values")) &&
        producers.get(name) === "GroupQueryAttention",
    )
  );
}

/**
 * Rows of a cache buffer that has to hold so many: one more, which a run may write that
 * its sequence takes no part in, and a quarter of them at most to spare, so that growing,
 * which copies what is there, is rare. What is behind the valid rows costs memory
 * alone, and that only when it is written.
 */
export function cacheCapacity(rows: number): number {
  const enough = rows + 1;
  const step = Math.max(32, 2 ** Math.floor(Math.log2(enough / 4)));
  return Math.ceil(enough / step) * step;
}

/**
 * A serialised `ModelProto` that gives a model the outputs that {@link runInPlace}
 * needs when its bytes are appended to the model's: concatenated protobuf messages
 * merge, so nothing of the model is parsed. The model's own outputs have to be
 * withdrawn, see `withdrawOutputs`.
 *
 * The host feeds buffers with at least as many rows as are valid, and fetches each
 * `present` into the very buffer that is its `past`: the operator then writes a
 * run's rows behind the valid ones, and copies nothing. The new rows of a sequence
 * end where the ones in its row of `attention_mask` do. Sequences of one batch may
 * differ in length; a row of the mask is ones, then zeros. Several ids each can be fed
 * to a batch of sequences that begin, with padding behind the shorter ones, whose
 * rows and logits mean nothing.
 *
 * @param presents the model's own outputs of the cache, by the names it has for them
 * @param operatorSet the model's version of ONNX's own operators, ≥ 13
 */
export function inPlacePatch(presents: readonly string[], operatorSet: number): Uint8Array {
  const nodes: GraphNode[] = [];
  const add = (
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: NonNullable<GraphNode["attributes"]> = {},
  ): string => {
    nodes.push({ name: output, operator, inputs, outputs: [output], attributes });
    return output;
  };
  const one: TensorHeader = {
    name: "streamgauge.one",
    element: ElementType.int64,
    dimensions: [1],
  };

  // [batch, 1]
  const ends = add("ReduceSum", ["attention_mask", one.name], "streamgauge.ends");
  // Some models have logits of the last position alone.
  const logitsShape = add("Shape", ["logits"], "streamgauge.logits_shape");
  const logitsLength = add("Gather", [logitsShape, one.name], "streamgauge.logits_length");
  const counts = add("Min", [ends, logitsLength], "streamgauge.counts");
  const lasts = add("Sub", [counts, one.name], "streamgauge.lasts");
  add("GatherND", ["logits", lasts], lastLogitsOutput, { batch_dims: { int: 1 } });
  // Operator set 18 made the axes of ReduceMax an input.
  const axes = { axes: { ints: [1] } };
  add(
    "ReduceMax",
    operatorSet < 18 ? [lastLogitsOutput] : [lastLogitsOutput, one.name],
    largestLogitsOutput,
    { ...(operatorSet < 18 && axes), keepdims: { int: 0 } },
  );
  add("SequenceEmpty", [], endOutput);

  const outputs = [endOutput, lastLogitsOutput, largestLogitsOutput, ...presents];
  const tensor = [encodeTensorHeader(one), new Uint8Array(BigInt64Array.of(1n).buffer)];
  const graph = { nodes, inputs: [], outputs: outputs.map((name) => ({ name })) };
  const byteLength = tensor.reduce((sum, bytes) => sum + bytes.length, 0);
  return Buffer.concat([encodeModelHeader(graph, byteLength), ...tensor]);
}

/** What onnxruntime-node says of an output that is a sequence. */
const endMessage = "Non tensor type is temporarily not supported.";

/**
 * Runs a model with {@link inPlacePatch}. Its results are in the memory of the tensors
 * that they are to be fetched into, and nowhere else.
 *
 * onnxruntime writes into the tensors it is given, but its binding then copies each
 * output into a new array, also one of these: the whole cache at each step. It does so
 * in the order of the graph's outputs, when the run has ended, and stops at the first
 * that it cannot convert. The patch puts a sequence before all others.
 *
 * @param fetches a tensor for each output that is wanted, and null for {@link endOutput}
 * @throws what `session.run` throws when the run itself fails
 */
export async function runInPlace(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  fetches: Readonly<Record<string, Tensor | null>>,
): Promise<void> {
  try {
    await session.run(feeds, fetches);
  } catch (error) {
    if (messageOf(error) !== endMessage) throw error;
  }
}
