import { join } from "node:path";
import { createInlineGenerator, createRuntime } from "@streamgauge/runtime";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { argmaxOfLast, tokenFeeds } from "./greedy-reference.js";
import {
  plainAttention,
  writePlainAttention,
  type PlainAttentionInputs,
} from "./plain-attention.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Greedy ids without a cache: each step runs all ids from the beginning. */
async function greedyWithoutCache(
  file: string,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const empty = (): Tensor => new Tensor("float32", new Float32Array(0), [1, 2, 0, 8]);
  const ids = [...prompt];
  while (ids.length < prompt.length + count) {
    const feeds: Record<string, Tensor> = {
      ...tokenFeeds(ids, ids.length),
      "past_key_values.0.key": empty(),
      "past_key_values.0.value": empty(),
    };
    const results = await session.run(feeds, ["logits"]);
    ids.push(argmaxOfLast(results["logits"] as Tensor));
  }
  await session.release();
  return ids.slice(prompt.length);
}

describe("a graph whose cache grows by Concat", () => {
  it.each<[string, PlainAttentionInputs, string]>([
    ["as it is", {}, "model.onnx"],
    ["with positions", { positions: true }, "model.onnx"],
    ["with two branches", { branch: true }, "model.onnx"],
    ["under the name of merged decoders", { branch: true }, "decoder_model_merged.onnx"],
    ["that is told how many logits to compute", { logitsCount: true }, "model.onnx"],
    ["with all of them", { positions: true, branch: true, logitsCount: true }, "model.onnx"],
  ])("is fed what it returns, and makes the ids it makes without cache: %s", async (...row) => {
    const [, inputs, graphName] = row;
    const folder = await temporaryFolder();
    const reference = join(folder, "reference");
    await writePlainAttention(reference, {});
    const model = join(folder, "model");
    await writePlainAttention(model, inputs, graphName);
    await using generator = await createInlineGenerator({ model });
    expect(generator.describe().cache).toBe("fetched");
    // Longer than one piece of a prompt.
    const prompt = Array.from(
      { length: 300 },
      (_, at) => (at * 17 + 5) % plainAttention.vocabulary,
    );
    for (const ids of [prompt, [3]]) {
      const file = join(reference, "onnx", "model.onnx");
      const expected = await greedyWithoutCache(file, ids, 40);
      expect(new Set(expected).size).toBeGreaterThan(3);
      expect((await generator.generate(ids, { maxTokens: 40 })).ids).toEqual(expected);
    }
  });
});

describe.each([
  ["the calling thread", (model: string) => createInlineGenerator({ model })],
  ["one worker", (model: string) => createRuntime({ model })],
  ["two workers", (model: string) => createRuntime({ model, workers: 2, threads: 1 })],
] as const)("conversations on a graph whose cache grows by Concat, in %s", (where, open) => {
  const config = { maxTokens: 12, ignoreEos: true };
  const openings = [
    [3, 14, 15, 9, 26],
    [8, 41, 2, 14, 30],
    [3, 14, 41],
    Array.from({ length: 300 }, (_, at) => (at * 7 + 1) % plainAttention.vocabulary),
  ];

  it("go on from what was run, alone and together, and make the ids they make without", async () => {
    const model = join(await temporaryFolder(), "model");
    await writePlainAttention(model, {});
    await using plain = await createInlineGenerator({ model, prefixReuse: false });
    await using reusing = await open(model);
    expect(reusing.describe()).toMatchObject({
      cache: "fetched",
      prefixReuse: "sequences",
      maxBatch: 1,
    });
    let cached: number[] = [];
    const take = async (prompt: readonly number[]): Promise<number[]> => {
      const { ids, usage } = await reusing.generate(prompt, config);
      const expected = await plain.generate(prompt, config);
      expect(ids).toEqual(expected.ids);
      expect(expected.usage.cachedTokens).toBe(0);
      cached.push(usage.cachedTokens ?? Number.NaN);
      return [...prompt, ...ids, 7];
    };

    // One after another: all of the turn before but its last id, which was not run.
    let alone = openings[0] ?? [];
    for (let turn = 0; turn < 4; turn++) alone = await take(alone);
    expect(cached).toEqual([0, 5 + 11, 18 + 11, 31 + 11]);

    // In turns: a worker has one cache, so that one of them alone forgets each time.
    cached = [];
    let prompts = openings.slice(0, 2);
    for (let turn = 0; turn < 3; turn++) {
      const longer: number[][] = [];
      for (const prompt of prompts) longer.push(await take(prompt));
      prompts = longer;
    }
    const kept = where === "two workers" ? [16, 16, 29, 29] : [0, 0, 0, 0];
    expect(cached.slice(2)).toEqual(kept);

    // And all at once.
    prompts = openings;
    for (let turn = 0; turn < 3; turn++) prompts = await Promise.all(prompts.map(take));
  });
});
