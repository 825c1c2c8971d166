import { Tensor, type InferenceSession } from "onnxruntime-node";
import type { GraphSummary } from "../onnx/graph-summary.js";
import {
  endOutput,
  inPlacePatch,
  largestLogitsOutput,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
} from "../onnx/in-place.js";
import { hasLogitsOfAll, narrowLogits } from "../onnx/narrow-logits.js";
import { withdrawOutputs } from "../onnx/withdraw-outputs.js";
import { createFloats, floatTensor, isFloatType, widenFloats } from "./float-tensor.js";
import type { GraphPorts } from "./graph-ports.js";
import { createInPlaceCache } from "./key-value-cache.js";
import { logitsConstants } from "./run-fetched.js";
import type { WayToRun } from "./way-to-run.js";

/** A graph that {@link runWayInPlace} runs. */
export interface PatchedGraph {
  readonly graph: Buffer;
  /** How many positions it computes logits of at once. */
  readonly mostPositions: 1 | 2;
  readonly joinsPrompts: boolean;
}

/**
 * The graph with the outputs of one that runs in place, and no others. Concatenated
 * protobuf messages merge.
 */
export function patchInPlace(
  graph: Uint8Array,
  summary: GraphSummary,
  ports: GraphPorts,
): PatchedGraph {
  const changed = Buffer.from(graph);
  const hasAll = hasLogitsOfAll(summary, ports);
  const narrowed = hasAll ? narrowLogits(changed, ports.logits) : undefined;
  withdrawOutputs(changed, summary.outputs);
  const patch = inPlacePatch({
    logits: ports.logits,
    presents: [...ports.entries, ...ports.states].map(({ present }) => present),
    operatorSet: summary.operatorSets.get("") ?? 0,
    narrowed,
  });
  return {
    graph: Buffer.concat([changed, patch]),
    // Kernels for one position round in their own way, and a prompt's logits are not to depend on
    // how many of them are computed.
    mostPositions: narrowed === undefined ? 1 : 2,
    // Padding behind a shorter prompt would become part of its states.
    joinsPrompts: hasAll && ports.states.length === 0,
  };
}

export interface InPlaceOptions extends Pick<PatchedGraph, "mostPositions" | "joinsPrompts"> {
  readonly ports: GraphPorts;
  /** For a graph that does not say how wide its logits are. */
  readonly vocabularySize: number;
  /** Rows that the cache has to have room for, however few there are. */
  readonly leastCapacity: number;
}

/** Runs a patched graph: past and present are one memory, and logits are written into memory of ours. */
export function runWayInPlace(
  session: InferenceSession,
  { ports, mostPositions, joinsPrompts, vocabularySize, leastCapacity }: InPlaceOptions,
): WayToRun {
  const cache = createInPlaceCache(ports.entries, leastCapacity, ports.states);
  const logitsOutput = lastLogitsOutput(session, ports.logits);
  const output = session.outputMetadata.find(({ name }) => name === logitsOutput);
  const { type: logitsType, shape } = output?.isTensor === true ? output : { type: "", shape: [] };
  const type = isFloatType(logitsType) ? logitsType : "float32";
  const width = shape.at(-1);
  const vocabulary = typeof width === "number" ? width : vocabularySize;
  let places = 0;
  let logitsRoom = createFloats(type, 0);
  let largestRoom = createFloats(type, 0);
  return {
    cache,
    constants: logitsConstants(ports.logitsCount),
    logitsOutput,
    joinsPrompts,
    async execute(feeds, first, ids) {
      const count = ids.length;
      if (first + count > places) {
        places = first + count;
        logitsRoom = createFloats(type, places * mostPositions * vocabulary);
        largestRoom = createFloats(type, places * mostPositions);
        // Not numbers, so that it is noticed if onnxruntime does not write here.
        for (const room of [logitsRoom, largestRoom]) {
          room.fill(type === "float16" ? 0x7e00 : Number.NaN);
        }
      }
      const positions = lastPositions(ids, mostPositions);
      const kept = positions.length / count;
      const from = first * mostPositions;
      const rows = logitsRoom.subarray(from * vocabulary, (from + count * kept) * vocabulary);
      const logits = floatTensor(type, rows, [count, kept, vocabulary]);
      const largestRows = largestRoom.subarray(from, from + count * kept);
      const largest = floatTensor(type, largestRows, [count, kept]);
      const tensors = cache.tensors(first, count);
      await runInPlace(
        session,
        Object.assign(tensors.feeds, feeds, {
          [lastPositionsInput]: new Tensor("int64", positions, [count, kept, 1]),
        }),
        Object.assign(tensors.fetches, {
          [endOutput]: null,
          [logitsOutput]: logits,
          [largestLogitsOutput]: largest,
        }),
      );
      return { logits, largest: widenFloats(largest, 0) };
    },
  };
}

/**
 * The last positions of rows that have so many ids of a run, from its end on; the longest
 * has all. As many of each as are wanted, and as the run has.
 */
function lastPositions(ids: readonly number[], most: number): BigInt64Array {
  const length = Math.max(...ids);
  const kept = Math.min(most, length);
  return BigInt64Array.from(
    ids.flatMap((count) =>
      Array.from({ length: kept }, (_, index) => Math.max(0, count - kept + index) - length),
    ),
    BigInt,
  );
}
