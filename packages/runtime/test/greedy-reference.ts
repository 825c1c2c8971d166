import { join } from "node:path";

import { InferenceSession, Tensor } from "onnxruntime-node";

import { createFloats, floatTensor, type FloatType } from "../src/engine/float-tensor.js";

/** The plainest decode loop there is: every `present` is fetched and fed back as it came. */
export interface GreedyReference {
  /** `count` ids after the prompt by argmax. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  release(): Promise<void>;
}

export async function openGreedyReference(folder: string): Promise<GreedyReference> {
  const session = await InferenceSession.create(join(folder, "onnx", "model.onnx"), {
    intraOpNumThreads: 2,
  });
  return {
    async greedy(prompt, count) {
      let cache = emptyCache(session);
      let next: readonly number[] = prompt;
      let total = 0;
      const ids: number[] = [];
      while (ids.length < count) {
        total += next.length;
        const outputs = await session.run({ ...tokenFeeds(next, total), ...cache });
        const id = argmaxOfLast(outputs["logits"]!);
        ids.push(id);
        next = [id];
        cache = Object.fromEntries(
          Object.entries(outputs)
            .filter(([name]) => name.startsWith("present."))
            .map(([name, tensor]) => [name.replace("present", "past_key_values"), tensor]),
        );
      }
      return ids;
    },
    release: () => session.release(),
  };
}

/** `input_ids` and a mask over `total` valid positions, for a batch of one. */
export function tokenFeeds(ids: readonly number[], total: number): Record<string, Tensor> {
  return {
    input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
    attention_mask: new Tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
  };
}

/** Past tensors without rows, shaped as the session's metadata says. */
export function emptyCache(session: InferenceSession): Record<string, Tensor> {
  const cache: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !input.name.startsWith("past_key_values.")) continue;
    const [, heads, , width] = input.shape;
    const type = input.type as FloatType;
    const dims = [1, Number(heads), 0, Number(width)];
    cache[input.name] = floatTensor(type, createFloats(type, 0), dims);
  }
  return cache;
}

/** Index of the largest logit at the last position. */
export function argmaxOfLast(logits: Tensor): number {
  const width = logits.dims.at(-1) ?? 0;
  const row = (logits.data as Float32Array).subarray(-width);
  let best = -1;
  for (let id = 0; id < width; id++) {
    if (best < 0 || row[id]! > row[best]!) best = id;
  }
  return best;
}
