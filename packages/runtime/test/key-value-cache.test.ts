import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildModel } from "@streamgauge/runtime/onnx";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import {
  createFetchedCache,
  createInPlaceCache,
  type FetchedCache,
  type InPlaceCache,
} from "../src/engine/key-value-cache.js";
import type { CacheEntry } from "../src/engine/cache-entry.js";
import type { FloatType } from "../src/engine/float-tensor.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import {
  endOutput,
  inPlacePatch,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
} from "../src/onnx/in-place.js";
import { narrowLogits } from "../src/onnx/narrow-logits.js";
import { withdrawOutputs } from "../src/onnx/withdraw-outputs.js";
import { argmaxOfLast, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

const layers = 4;

const entriesOf = (type: FloatType): CacheEntry[] =>
  Array.from({ length: layers }, (_, layer) =>
    (["key", "value"] as const).map((part) => ({
      past: `past_key_values.${layer}.${part}`,
      present: `present.${layer}.${part}`,
      type,
      heads: 2,
      headSize: 64,
    })),
  ).flat();

/** Runs ids at the end of what a cache holds in place 0, and gives the likeliest next id. */
type Step = (ids: readonly number[]) => Promise<number>;

/** Greedy ids behind a prompt given in pieces. */
async function decode(
  step: Step,
  pieces: readonly (readonly number[])[],
  count: number,
): Promise<number[]> {
  const ids: number[] = [];
  const queue = [...pieces];
  while (ids.length < count) {
    const id = await step(queue.shift() ?? ids.slice(-1));
    if (queue.length === 0) ids.push(id);
  }
  return ids;
}

function fetchedStep(session: InferenceSession, cache: FetchedCache): Step {
  return async (ids) => {
    const feeds = tokenFeeds(ids, cache.lengthOf(0) + ids.length);
    const outputs = ["logits", ...cache.outputs];
    const results = await session.run({ ...feeds, ...cache.feeds }, outputs);
    cache.take(results, ids.length);
    cache.accept(0, ids.length);
    return argmaxOfLast(results["logits"] as Tensor);
  };
}

function inPlaceStep(session: InferenceSession, cache: InPlaceCache): Step {
  return async (ids) => {
    const total = cache.lengthOf(0) + ids.length;
    cache.makeRoom(0, 1, [total]);
    const { feeds, fetches } = cache.tensors(0, 1);
    const logits = new Tensor("float32", new Float32Array(2048), [1, 1, 2048]);
    const last = new Tensor("int64", BigInt64Array.of(-1n), [1, 1, 1]);
    await runInPlace(
      session,
      { ...tokenFeeds(ids, total), ...feeds, [lastPositionsInput]: last },
      { ...fetches, [endOutput]: null, [lastLogitsOutput(session)]: logits },
    );
    cache.accept(0, ids.length);
    return argmaxOfLast(logits);
  };
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
      const plain = await InferenceSession.create(graph, { logSeverityLevel: 3 });
      const presents = entries.map(({ present }) => present);
      const narrowed = narrowLogits(graph, "logits");
      expect(narrowed).toBeDefined();
      withdrawOutputs(graph, ["logits", ...presents]);
      const options = { logits: "logits", presents, operatorSet: 17, narrowed };
      const patched = await InferenceSession.create(Buffer.concat([graph, inPlacePatch(options)]), {
        logSeverityLevel: 3,
      });
      const prompt = Array.from({ length: 230 }, (_, index) => 1 + ((index * 37) % 2047));
      const inPlace = createInPlaceCache(entries, 0);
      const step = inPlaceStep(patched, inPlace);
      const ids = await decode(step, [prompt.slice(0, 100), prompt.slice(100)], 60);
      const fetched = createFetchedCache(entries);
      expect(ids).toEqual(await decode(fetchedStep(plain, fetched), [prompt], 60));
      expect(inPlace.lengthOf(0)).toBe(230 + 59);

      const other = prompt.slice(0, 90).toReversed();
      const fresh = fetchedStep(plain, createFetchedCache(entries));
      const expected = await decode(fresh, [prompt.slice(0, 120), other], 20);
      for (const [cache, again] of [
        [inPlace, step],
        [fetched, fetchedStep(plain, fetched)],
      ] as const) {
        cache.truncate(0, 120);
        expect(cache.lengthOf(0)).toBe(120);
        expect(await decode(again, [other], 20)).toEqual(expected);
      }
      await plain.release();
      await patched.release();
    },
  );
});

describe("the cache in place", () => {
  const entries = entriesOf("float32");
  const [{ past, present }] = entries as [CacheEntry];
  const shapeOf = (cache: InPlaceCache, count: number) => cache.tensors(0, count).feeds[past]?.dims;

  it("is fed and fetched as the same memory, which stays where it is while there is room", () => {
    const cache = createInPlaceCache(entries, 0);
    cache.makeRoom(0, 1, [200]);
    expect(shapeOf(cache, 1)).toEqual([1, 2, 224, 64]);
    const { feeds, fetches } = cache.tensors(0, 1);
    expect(Object.keys(fetches)).toEqual(entries.map((entry) => entry.present));
    expect(fetches[present]).toBe(feeds[past]);
    cache.makeRoom(0, 1, [223]);
    expect(cache.tensors(0, 1).feeds[past]).toBe(feeds[past]);
    // A row more than is asked for: a run may write one that nobody wants.
    cache.makeRoom(0, 1, [224]);
    expect(shapeOf(cache, 1)).toEqual([1, 2, 256, 64]);
  });

  it("keeps what it holds when it grows, and gives back what is far too long", () => {
    const cache = createInPlaceCache(entries, 0);
    cache.makeRoom(0, 2, [10, 10]);
    const rowOf = (place: number, head: number, row: number): number => {
      const { data, dims } = cache.tensors(0, 2).feeds[past]!;
      return (data as Float32Array)[((place * 2 + head) * dims[2]! + row) * 64]!;
    };
    const { data } = cache.tensors(0, 2).feeds[past]!;
    for (let at = 0; at < data.length; at++) (data as Float32Array)[at] = at;
    cache.accept(0, 10);
    cache.accept(1, 7);
    const before = [rowOf(0, 1, 9), rowOf(1, 0, 6), rowOf(1, 1, 0)];
    cache.makeRoom(0, 2, [10, 1000]);
    expect(shapeOf(cache, 2)).toEqual([2, 2, 1024, 64]);
    expect([rowOf(0, 1, 9), rowOf(1, 0, 6), rowOf(1, 1, 0)]).toEqual(before);
    cache.makeRoom(0, 2, [10, 300]);
    expect(shapeOf(cache, 2)).toEqual([2, 2, 1024, 64]);
    cache.makeRoom(0, 2, [10, 10]);
    expect(shapeOf(cache, 2)).toEqual([2, 2, 32, 64]);
    expect([rowOf(0, 1, 9), rowOf(1, 0, 6), rowOf(1, 1, 0)]).toEqual(before);
  });

  it("forgets the last row of a full place that a run goes past", () => {
    const cache = createInPlaceCache(entries, 0);
    cache.makeRoom(0, 2, [31, 31]);
    cache.accept(0, 32);
    cache.accept(1, 20);
    cache.makeRoom(0, 2, [undefined, 21]);
    expect(cache.lengthOf(0)).toBe(31);
    expect(cache.lengthOf(1)).toBe(20);
  });
});
