import { join } from "node:path";
import { createInlineGenerator } from "@streamgauge/runtime";
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
