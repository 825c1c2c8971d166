import { resolveConfig } from "@streamgauge/core";
import { createInlineGenerator } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { oddities } from "../../core/test/oddities.js";
import { createSampler } from "../src/engine/sampling/sampler.js";
import { randomWeights } from "../src/onnx/build/weights.js";

describe("over small seeds", () => {
  it("the sampler draws all ids, the first as the second", () => {
    const places = 256;
    const logits = new Float32Array(places);
    for (const temperature of [0.5, 2]) {
      const chosen = (seed: number): number[] => {
        const sample = createSampler(resolveConfig({ temperature, seed }), {
          promptIds: [],
          eosTokenIds: new Set(),
        });
        return [sample(logits).id, sample(logits).id];
      };
      expect(oddities(chosen, { places })).toEqual([]);
    }
  });

  it("a model's first ids come as often as it says", async () => {
    await using generator = await createInlineGenerator();
    const prompt = "Call me";
    const config = { maxTokens: 1, temperature: 2, topK: 20, ignoreEos: true };
    const { topLogprobs } = await generator.generate(prompt, {
      ...config,
      logprobs: true,
      topLogprobs: 20,
    });
    const likeliest = topLogprobs![0]!;
    const weights = likeliest.map(({ logprob }) => Math.exp(logprob / config.temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const chosen: number[] = [];
    for (let seed = 0; seed < 1000; seed += 1) {
      const { ids } = await generator.generate(prompt, { ...config, seed });
      chosen.push(likeliest.findIndex(({ id }) => id === ids[0]));
    }
    const cumulative = (place: number): number =>
      weights.slice(0, place + 1).reduce((sum, weight) => sum + weight, 0) / total;
    const options = { places: 20, seeds: chosen.length, cumulative };
    expect(oddities((seed) => [chosen[seed]!], options)).toEqual([]);
  });

  it("random weights are drawn evenly", async () => {
    const weights: number[][] = [];
    for (let seed = 0; seed < 10_000; seed += 1) {
      for await (const values of randomWeights(seed)("weight", [1, 3])) {
        weights.push([...values].map((value) => Math.floor(512 * (value / width + 0.5))));
      }
    }
    expect(oddities((seed) => weights[seed]!, { places: 512 })).toEqual([]);
  });
});

/** The width of the range of uniform numbers whose standard deviation is 0.02. */
const width = 0.02 * Math.sqrt(12);
