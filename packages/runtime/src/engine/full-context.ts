import { Tensor, type InferenceSession } from "onnxruntime-node";
import { lastPositionsInput } from "../onnx/in-place.js";
import { zeroState } from "./fetched-states.js";
import { createFloats, floatTensor, widenFloats } from "./float-tensor.js";
import type { GraphPorts } from "./graph-ports.js";
import type { WayToRun } from "./way-to-run.js";

/** What follows ids, computed from all of them at once: what a cache must not change. */
export interface FullContext {
  /**
   * Logits behind these ids, in memory of their own. No sequence may be running.
   *
   * @throws what onnxruntime throws
   */
  logits(ids: readonly number[]): Promise<Float32Array>;
}

/**
 * Runs a session, patched or not, each time with an empty cache that it does not keep.
 *
 * @param leastCapacity rows that the cache has to have room for, however few there are
 */
export function createFullContext(
  session: InferenceSession,
  ports: GraphPorts,
  { constants, logitsOutput }: Pick<WayToRun, "constants" | "logitsOutput">,
  leastCapacity: number,
): FullContext {
  const fixed: Record<string, Tensor> = { ...constants };
  for (const { past, type, dimensions } of ports.states) {
    fixed[past] = zeroState(type, dimensions);
  }
  const pasts = (rows: number): Record<string, Tensor> =>
    Object.fromEntries(
      ports.entries.map(({ past, type, heads, headSize }) => {
        const floats = createFloats(type, heads * rows * headSize);
        return [past, floatTensor(type, floats, [1, heads, rows, headSize])];
      }),
    );
  if (ports.branch !== undefined) fixed[ports.branch] = new Tensor("bool", Uint8Array.of(0), [1]);
  if (session.inputNames.includes(lastPositionsInput)) {
    fixed[lastPositionsInput] = new Tensor("int64", BigInt64Array.of(-1n), [1, 1, 1]);
  }
  return {
    async logits(ids) {
      const size = [1, ids.length];
      const positions = BigInt64Array.from(ids, (_, index) => BigInt(index));
      const results = await session.run(
        {
          ...fixed,
          // Empty, but for a graph that wants room for its window.
          ...pasts(leastCapacity === 0 ? 0 : Math.max(leastCapacity, ids.length)),
          [ports.ids]: new Tensor("int64", BigInt64Array.from(ids, BigInt), size),
          [ports.mask]: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), size),
          ...(ports.positions !== undefined && {
            [ports.positions]: new Tensor("int64", positions, size),
          }),
        },
        [logitsOutput],
      );
      const logits = results[logitsOutput] as Tensor;
      return widenFloats(logits, logits.size - (logits.dims.at(-1) ?? 0)).slice();
    },
  };
}
