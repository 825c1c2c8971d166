import type { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf } from "@streamgauge/core";
import type { GraphSummary, NodeSummary } from "./graph-summary.js";
import type { NarrowedLogits } from "./narrow-logits.js";
import { ElementType, encodeModelHeader, type GraphNode } from "./protobuf.js";

/**
 * Input of a patched model: for each row the positions of the run whose logits are
 * wanted, int64 [batch, positions, 1]. Below 0: from the end.
 */
export const lastPositionsInput = "streamgauge.last_positions";

/** Output of a patched model: the largest logit of each of those positions, float [batch, positions]. */
export const largestLogitsOutput = "streamgauge.largest_logits";

/** Output of a patched model, its first, that the binding cannot hand over: see {@link runInPlace}. */
export const endOutput = "streamgauge.end";

/** A cache's input and output, by the graph's names. */
export interface PastAndPresent {
  readonly past: string;
  readonly present: string;
}

/**
 * Why a model cannot run with {@link inPlacePatch}; undefined: it can. Each past and its
 * present have to be touched by one GroupQueryAttention alone, which reads no more rows of a
 * buffer than are valid, and adds to them where they are. Whatever else reads either of
 * them, also their shape, would see the buffer instead of the cache.
 */
export function whyNotInPlace(
  { operatorSets, nodes }: GraphSummary,
  entries: readonly PastAndPresent[],
): string | undefined {
  // Operator set 12 gave GatherND its batch_dims.
  if ((operatorSets.get("") ?? 0) < 12) return "the graph's operator set is older than 12";
  const readers = new Map<string, { readonly operator: string; readonly at: number }[]>();
  const writers = new Map<string, NodeSummary>();
  for (const node of nodes) {
    for (const [at, name] of [...node.inputs, ...node.branchInputs].entries()) {
      const of = readers.get(name) ?? [];
      of.push({ operator: node.operator, at: at < node.inputs.length ? at : -1 });
      readers.set(name, of);
    }
    for (const name of node.outputs) writers.set(name, node);
  }
  for (const { past, present } of entries) {
    const writer = writers.get(present);
    if (writer?.operator !== attention) {
      return `${present} is made by ${writer?.operator ?? "nothing"}, and not by ${attention}`;
    }
    const at = writer.outputs.indexOf(present);
    // Its inputs 3 and 4 are the pasts of its outputs 1 and 2.
    if (writer.inputs[at + 2] !== past) return `${present} does not go on from ${past}`;
    const others = (readers.get(past) ?? []).filter(({ at: input }) => input !== at + 2);
    const again = (readers.get(past) ?? []).length - others.length - 1;
    const other = others[0]?.operator ?? (again > 0 ? attention : undefined);
    if (other !== undefined) return `${past} is read by ${other} too`;
    const [reader] = readers.get(present) ?? [];
    if (reader !== undefined) return `${present} is read by ${reader.operator} too`;
  }
  return undefined;
}

const attention = "GroupQueryAttention";

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

/** What {@link inPlacePatch} has to know of the model, whose outputs go by the names it has for them. */
export interface InPlacePatchOptions {
  readonly logits: string;
  /** Its outputs of the cache. */
  readonly presents: readonly string[];
  /** The model's version of ONNX's own operators, ≥ 12. */
  readonly operatorSet: number;
  /** What `narrowLogits` has made of it; undefined: it computes the logits of all positions. */
  readonly narrowed: NarrowedLogits | undefined;
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
 * Logits are those of the positions in {@link lastPositionsInput}.
 */
export function inPlacePatch({
  logits,
  presents,
  operatorSet,
  narrowed,
}: InPlacePatchOptions): Uint8Array {
  const nodes: GraphNode[] = [];
  const add = (
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: NonNullable<GraphNode["attributes"]> = {},
  ): string => {
    const name = `streamgauge.${operator}`;
    nodes.push({ name, operator, inputs, outputs: [output], attributes });
    return output;
  };
  const take = (values: string, output: string): string =>
    add("GatherND", [values, lastPositionsInput], output, { batch_dims: { int: 1 } });

  const lastLogits = narrowed === undefined ? take(logits, takenLogits) : logits;
  if (narrowed !== undefined) take(narrowed.hidden, narrowed.kept);
  // Operator set 18 made the axes of ReduceMax an input.
  const axes = { ints: [2] };
  if (operatorSet < 18) {
    add("ReduceMax", [lastLogits], largestLogitsOutput, { axes, keepdims: { int: 0 } });
  } else {
    const axis = add("Constant", [], "streamgauge.axis", { value_ints: axes });
    add("ReduceMax", [lastLogits, axis], largestLogitsOutput, { keepdims: { int: 0 } });
  }
  add("SequenceEmpty", [], endOutput);

  const outputs = [endOutput, lastLogits, largestLogitsOutput, ...presents];
  const dimensions = ["streamgauge.batch", "streamgauge.positions", 1];
  const positions = { name: lastPositionsInput, type: { element: ElementType.int64, dimensions } };
  const graph = { nodes, inputs: [positions], outputs: outputs.map((name) => ({ name })) };
  return encodeModelHeader(graph, 0);
}

/**
 * The output of a patched model with the logits of those positions only, float
 * [batch, positions, vocabulary]. It is the model's own if nothing has to be taken from it.
 */
export function lastLogitsOutput({ outputNames }: InferenceSession, logits = "logits"): string {
  return outputNames.includes(takenLogits) ? takenLogits : logits;
}

const takenLogits = "streamgauge.last_logits";

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
