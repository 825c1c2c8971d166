import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GenerationConfig, StreamToken } from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  embeddedModel,
  pacedModel,
  type InlineGenerator,
} from "@streamgauge/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const prompt = "It is not down in any map;";
const eosId = 0;
let generator: InlineGenerator;

beforeAll(async () => {
  generator = await createInlineGenerator();
});
afterAll(() => generator.close());

async function tokensOf(config: GenerationConfig) {
  const tokens: StreamToken[] = [];
  const result = await generator.generateStream(prompt, (token) => void tokens.push(token), config);
  return { tokens, result };
}

describe("stop strings", () => {
  it("end the completion exactly where they begin, in whatever tokens they lie", async () => {
    const maxTokens = 40;
    const whole = await tokensOf({ maxTokens });
    const { text } = whole.result;
    const ends = whole.tokens.map((_, index) =>
      whole.tokens.slice(0, index + 1).reduce((length, token) => length + token.text.length, 0),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: text.length - 2 }),
        fc.integer({ min: 1, max: 12 }),
        async (from, length) => {
          const stop = text.slice(from, from + length);
          const { tokens, result } = await tokensOf({ maxTokens, stop });
          const cut = text.indexOf(stop);
          expect(result.finishReason).toBe("stop");
          expect(result.text).toBe(text.slice(0, cut));
          // The token that completed it is the last, and is kept.
          const last = ends.findIndex((end) => end >= cut + stop.length);
          expect(result.ids).toEqual(whole.result.ids.slice(0, last + 1));
          expect(tokens.map((token) => token.text).join("")).toBe(result.text);
        },
      ),
      { numRuns: 25, examples: [[ends[3]! - 2, 5]] },
    );
  });

  it("leave the text whole when only their beginning was made", async () => {
    const whole = await tokensOf({ maxTokens: 20 });
    const stop = `${whole.result.text.slice(-6)}that never comes`;
    const { tokens, result } = await tokensOf({ maxTokens: 20, stop: [stop] });
    expect(result).toEqual({ ...whole.result, timings: expect.anything() as unknown });
    // Held back until the end: it might have been one.
    expect(tokens.at(-1)?.text.endsWith(whole.result.text.slice(-6))).toBe(true);
  });

  it("win over a limit that is reached with the same token", async () => {
    const { ids, text } = await generator.generate(prompt, { maxTokens: 12 });
    const stopped = await generator.generate(prompt, { maxTokens: 12, stop: text.slice(-9) });
    expect(stopped).toMatchObject({ finishReason: "stop", ids, text: text.slice(0, -9) });
  });

  it("are refused for a model without text", async () => {
    const folder = join(await temporaryFolder(), "model");
    await cp(embeddedModel, folder, { recursive: true });
    await rm(join(folder, "tokenizer.json"));
    await using idsOnly = await createInlineGenerator({ model: folder });
    await expect(idsOnly.generate([1, 2], { stop: "x" })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(/"stop".*stopTokenIds/) as string,
    });
  });
});

describe("minTokens", () => {
  it("keeps end-of-sequence from being chosen, and no longer", async () => {
    // With this bias the end is likelier than anything from the first token on.
    const bias = { logitBias: { [eosId]: 50 } };
    expect((await generator.generate(prompt, bias)).ids).toEqual([eosId]);
    const { ids, finishReason } = await generator.generate(prompt, { ...bias, minTokens: 7 });
    expect(finishReason).toBe("eos");
    expect(ids.indexOf(eosId)).toBe(7);
    expect(ids).toHaveLength(8);
  });

  it("keeps stop ids from being chosen", async () => {
    const { ids } = await generator.generate(prompt, { maxTokens: 12 });
    const stopTokenIds = [ids[2]!];
    const result = await generator.generate(prompt, { maxTokens: 40, minTokens: 10, stopTokenIds });
    expect(result.ids.slice(0, 10)).not.toContain(stopTokenIds[0]);
    expect(result.ids.length).toBeGreaterThan(10);
  });

  it("passes over stop strings that are complete before", async () => {
    const { text, ids } = await generator.generate(prompt, { maxTokens: 40 });
    const stop = "the";
    const minTokens = 20;
    const early = await generator.generate(prompt, { maxTokens: minTokens });
    expect(early.text).toContain(stop);
    const result = await generator.generate(prompt, { maxTokens: 40, minTokens, stop });
    const cut = text.indexOf(stop, early.text.length - stop.length + 1);
    expect(result.text).toBe(cut === -1 ? text : text.slice(0, cut));
    expect(result.finishReason).toBe(cut === -1 ? "length" : "stop");
    expect(result.ids).toEqual(ids.slice(0, result.ids.length));
  });
});

describe("penalties and bias", () => {
  it("forbid an id with a bias of −100, and force one with 100", async () => {
    const { ids } = await generator.generate(prompt, { maxTokens: 20 });
    const banned = ids[4]!;
    const without = await generator.generate(prompt, {
      maxTokens: 20,
      logitBias: { [banned]: -100 },
    });
    expect(without.ids).not.toContain(banned);
    const forced = await generator.generate(prompt, { maxTokens: 3, logitBias: { 77: 100 } });
    expect(forced.ids).toEqual([77, 77, 77]);
  });

  it("make no sequence of ids twice with noRepeatNgramSize, the prompt's included", async () => {
    const size = 2;
    const first = await generator.generate(prompt, { maxTokens: 150 });
    const result = await generator.generate(prompt, { maxTokens: 150, noRepeatNgramSize: size });
    const pairs = (ids: readonly number[]) =>
      ids.slice(1).map((id, index) => `${ids[index]},${id}`);
    const repeats = (ids: readonly number[]) => pairs(ids).length - new Set(pairs(ids)).size;
    expect(repeats(first.ids)).toBeGreaterThan(0);
    expect(repeats(result.ids)).toBe(0);
  });

  it.each<[string, GenerationConfig]>([
    ["logitBias", { logitBias: { 2048: 1 } }],
    ["stopTokenIds", { stopTokenIds: [2048] }],
  ])("refuse ids outside of the vocabulary in %s", async (option, config) => {
    await expect(generator.generate(prompt, config)).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(new RegExp(`2048 .*${option}.*0 to 2047`)) as string,
    });
  });
});

describe("topLogprobs", () => {
  it("begin with the id that greedy choice takes, and fall from there", async () => {
    const config = { maxTokens: 10, logprobs: true, topLogprobs: 20 };
    const { tokens, result } = await tokensOf(config);
    expect(result.topLogprobs).toEqual(tokens.map(({ topLogprobs }) => topLogprobs));
    for (const { id, logprob, topLogprobs = [] } of tokens) {
      expect(topLogprobs).toHaveLength(20);
      expect(topLogprobs[0]).toEqual({ id, logprob });
      const values = topLogprobs.map((top) => top.logprob);
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      expect(values.reduce((sum, value) => sum + Math.exp(value), 0)).toBeLessThanOrEqual(1);
    }
  });

  it("do not depend on what is drawn", async () => {
    const plain = await generator.generate(prompt, {
      maxTokens: 1,
      logprobs: true,
      topLogprobs: 5,
    });
    const changed = await generator.generate(prompt, {
      maxTokens: 1,
      logprobs: true,
      topLogprobs: 5,
      temperature: 2,
      minP: 0.1,
      repetitionPenalty: 1.5,
      logitBias: { 9: 100 },
    });
    expect(changed.ids).toEqual([9]);
    expect(changed.topLogprobs).toEqual(plain.topLogprobs);
  });
});

describe("one seed", () => {
  it("gives one completion on every worker, in every mode and inline", async () => {
    await using runtime = await createRuntime({ workers: 2, threads: 1 });
    const config: GenerationConfig = {
      maxTokens: 24,
      temperature: 1.1,
      topK: 200,
      topP: 0.98,
      minP: 0.01,
      typicalP: 0.97,
      repetitionPenalty: 1.15,
      presencePenalty: 0.3,
      frequencyPenalty: 0.2,
      logitBias: { 11: -2 },
      noRepeatNgramSize: 3,
      minTokens: 5,
      logprobs: true,
      topLogprobs: 3,
      seed: 1851,
    };
    const runs = Array.from({ length: 3 }, () => [
      runtime.generate(prompt, config),
      runtime.generateStream(prompt, () => undefined, config),
      runtime.generateStreamAsync(prompt, config).result,
      generator.generate(prompt, config),
    ]);
    const results = await Promise.all(runs.flat());
    const { ids, text, topLogprobs } = results[0]!;
    for (const result of results) {
      expect(result).toMatchObject({ ids, text });
      // A prompt that is in the cache already is summed up in another order.
      for (const [index, likeliest] of (topLogprobs ?? []).entries()) {
        for (const [rank, { id, logprob }] of likeliest.entries()) {
          expect(result.topLogprobs?.[index]?.[rank]?.id).toBe(id);
          expect(result.topLogprobs?.[index]?.[rank]?.logprob).toBeCloseTo(logprob, 4);
        }
      }
    }
    const other = await runtime.generate(prompt, { ...config, seed: 1852 });
    expect(other.ids).not.toEqual(ids);
  });
});

describe("the paced model", () => {
  const model = pacedModel({ stepMicroseconds: 0 });

  it("honours stop strings, across its tokens", async () => {
    await using paced = await createInlineGenerator({ model });
    const result = await paced.generate("go", { stop: "1 1" });
    expect(result).toMatchObject({
      finishReason: "stop",
      text: " 0 1 2 3 4 5 6 7 8 9 10 1",
      ids: Array.from({ length: 13 }, (_, index) => index),
    });
  });

  it.each<GenerationConfig>([
    { repetitionPenalty: 1.1 },
    { presencePenalty: 1 },
    { frequencyPenalty: 1 },
    { logitBias: { 1: 1 } },
    { noRepeatNgramSize: 2 },
    { minTokens: 2 },
    { logprobs: true },
    { temperature: 1 },
  ])("refuses %o, which would change nothing", async (config) => {
    await using paced = await createInlineGenerator({ model });
    await expect(paced.generate("go", config)).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining(`"${Object.keys(config)[0]}"`) as string,
    });
  });
});
