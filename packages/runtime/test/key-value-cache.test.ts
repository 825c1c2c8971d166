import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildModel } from "@streamgauge/runtime/onnx";
import { InferenceSession, type Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  createDeltaCache,
  createFetchedCache,
  type CacheEntry,
  type KeyValueCache,
} from "../src/engine/key-value-cache.js";
import type { FloatType } from "../src/engine/float-tensor.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { deltaCachePatch, newRowsHead } from "../src/onnx/patch.js";
import { argmaxOfLast, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

const layers = 4;

const entriesOf = (type: FloatType): CacheEntry[] =>
  Array.from({ length: layers }, (_, layer) =>
    (["key", "value"] as const).map((part) => ({
      past: `past_key_values.${layer}.${part}`,
      present: `present.${layer}.${part}`,
      addedHead: newRowsHead(2, layer, part),
      type,
      heads: 2,
      headSize: 64,
    })),
  ).flat();

/** Greedy ids behind a prompt given in pieces. */
async function decode(
  session: InferenceSession,
  cache: KeyValueCache,
  pieces: readonly (readonly number[])[],
  count: number,
): Promise<number[]> {
  const ids: number[] = [];
  const queue = [...pieces];
  while (ids.length < count) {
    const next = queue.shift() ?? ids.slice(-1);
    const feeds = {
      ...tokenFeeds(next, cache.lengthOf(0) + next.length),
      ...cache.feed(0, 1, [cache.lengthOf(0) + next.length]),
    };
    const results = await session.run(feeds, ["logits", ...cache.outputs]);
    cache.accept(0, 0, next.length, results);
    if (queue.length === 0) ids.push(argmaxOfLast(results["logits"] as Tensor));
  }
  return ids;
}

describe("the two caches", () => {
  it.each([
    ["float32", "fp32"],
    ["float16", "fp16"],
  ] as const)(
    "of %s lead to the same ids, across growth and a prompt in pieces",
    async (type, dtype) => {
      const out = join(await temporaryFolder(), "model");
      const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
      await buildModel({ checkpoint, out, dtypes: [dtype] });
      const entries = entriesOf(type);
      const graph = await readFile(join(out, "onnx", graphFileName(dtype)));
      const session = await InferenceSession.create(
        Buffer.concat([graph, deltaCachePatch({ layers, heads: 2 })]),
        { logSeverityLevel: 3 },
      );
      const prompt = Array.from({ length: 230 }, (_, index) => 1 + ((index * 37) % 2047));
      const delta = createDeltaCache(entries);
      const ids = await decode(session, delta, [prompt.slice(0, 100), prompt.slice(100)], 60);
      const fetched = await decode(session, createFetchedCache(entries), [prompt], 60);
      expect(ids).toEqual(fetched);
      expect(delta.lengthOf(0)).toBe(230 + 59);

      // Cut back, the buffers give way too: a step costs what they are long.
      const other = prompt.slice(0, 90).toReversed();
      const fresh = createFetchedCache(entries);
      const expected = await decode(session, fresh, [prompt.slice(0, 120), other], 20);
      for (const cache of [delta, createFetchedCache(entries)]) {
        if (cache !== delta) await decode(session, cache, [prompt], 2);
        cache.truncate(0, 120);
        expect(cache.lengthOf(0)).toBe(120);
        expect(await decode(session, cache, [other], 20)).toEqual(expected);
      }
      const [{ past }] = entries as [CacheEntry];
      expect(delta.feed(0, 1, [150])[past]?.dims[2]).toBe(160);
      expect(createDeltaCache(entries).feed(0, 1, [257])[past]?.dims[2]).toBe(288);
      await session.release();
    },
  );
});
