import { requestedOptions, resolveConfig, type GenerationConfig } from "@streamgauge/core";
import { describe, expect, it } from "vitest";

describe("resolveConfig", () => {
  it("fills in greedy decoding of 128 tokens", () => {
    expect(resolveConfig({ seed: 1 })).toEqual({
      maxTokens: 128,
      temperature: 0,
      topK: undefined,
      topP: undefined,
      minP: undefined,
      typicalP: undefined,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      logitBias: [],
      noRepeatNgramSize: 0,
      minTokens: 0,
      seed: 1,
      stop: [],
      stopTokenIds: [],
      ignoreEos: false,
      plainPrompt: false,
      logprobs: false,
      topLogprobs: 0,
      deadlineMilliseconds: undefined,
      clientId: "",
    });
  });

  it("draws a seed when none is given", () => {
    const seeds = new Set(Array.from({ length: 20 }, () => resolveConfig().seed));
    expect(seeds.size).toBeGreaterThan(1);
  });

  it("can be posted to another thread", () => {
    const resolved = resolveConfig({
      temperature: 0.8,
      topP: 0.9,
      logitBias: { 3: 1 },
      stop: ["a"],
      signal: AbortSignal.abort(),
    });
    expect(structuredClone(resolved)).toEqual(resolved);
  });

  it("takes one stop string or several, and biases by id", () => {
    expect(resolveConfig({ stop: "\n\n" }).stop).toEqual(["\n\n"]);
    expect(resolveConfig({ stop: ["a", "🐋"] }).stop).toEqual(["a", "🐋"]);
    const { logitBias } = resolveConfig({ logitBias: { 50256: -100, 0: 0.5 } });
    expect(logitBias).toEqual([
      [0, 0.5],
      [50256, -100],
    ]);
  });

  it("takes the ends of every range", () => {
    const edges: GenerationConfig = {
      temperature: 1,
      topP: 1,
      minP: 0,
      typicalP: 1,
      repetitionPenalty: 1e-3,
      presencePenalty: -2,
      frequencyPenalty: 2,
      logitBias: { 0: 100, 1: -100 },
      noRepeatNgramSize: 0,
      minTokens: 128,
      logprobs: true,
      topLogprobs: 20,
    };
    expect(resolveConfig(edges)).toMatchObject({
      ...edges,
      logitBias: expect.anything() as unknown,
    });
  });

  it.each([
    [{ maxTokens: 0 }, /"maxTokens" is 0; it must be an integer ≥ 1/],
    [{ maxTokens: 1.5 }, /"maxTokens"/],
    [{ maxTokens: Number.NaN }, /"maxTokens" is NaN/],
    [{ maxTokens: "10" }, /"maxTokens" is "10"/],
    [{ temperature: -0.1 }, /"temperature" is -0.1/],
    [{ temperature: Number.NaN }, /"temperature" is NaN/],
    [{ temperature: Infinity }, /"temperature" is Infinity/],
    [{ temperature: 1, topK: 0 }, /"topK"/],
    [{ temperature: 1, topP: 0 }, /"topP"/],
    [{ temperature: 1, topP: 1.1 }, /"topP"/],
    [{ seed: -1 }, /"seed"/],
    [{ seed: 2 ** 32 }, /"seed"/],
    [{ stopTokenIds: [1, -1] }, /"stopTokenIds"/],
    [{ stopTokenIds: 3 }, /"stopTokenIds"/],
    [{ ignoreEos: 1 }, /"ignoreEos"/],
    [{ plainPrompt: "yes" }, /"plainPrompt"/],
    [{ logprobs: "yes" }, /"logprobs"/],
    [{ temperature: 1, minP: -0.1 }, /"minP" is -0.1; it must be a number from 0 to 1/],
    [{ temperature: 1, minP: 1.1 }, /"minP"/],
    [{ temperature: 1, typicalP: 0 }, /"typicalP"/],
    [{ temperature: 1, typicalP: Number.NaN }, /"typicalP"/],
    [{ repetitionPenalty: 0 }, /"repetitionPenalty" is 0; it must be a finite number above 0/],
    [{ repetitionPenalty: Infinity }, /"repetitionPenalty"/],
    [{ presencePenalty: 2.1 }, /"presencePenalty".*from -2 to 2/],
    [{ frequencyPenalty: -3 }, /"frequencyPenalty"/],
    [{ frequencyPenalty: "1" }, /"frequencyPenalty"/],
    [{ logitBias: { 3: 101 } }, /"logitBias".*from -100 to 100/],
    [{ logitBias: { 3: Number.NaN } }, /"logitBias"/],
    [{ logitBias: { "-1": 1 } }, /"logitBias".*token ids/],
    [{ logitBias: { "01": 1 } }, /"logitBias"/],
    [{ logitBias: { whale: 1 } }, /"logitBias"/],
    [{ logitBias: [[3, 1]] }, /"logitBias"/],
    [{ logitBias: null }, /"logitBias" is null/],
    [{ noRepeatNgramSize: 1.5 }, /"noRepeatNgramSize"/],
    [{ minTokens: -1 }, /"minTokens"/],
    [{ stop: "" }, /"stop" is ""; it must be a text/],
    [{ stop: ["a", ""] }, /"stop"/],
    [{ stop: ["a", 3] }, /"stop"/],
    [{ stop: "\uD83D" }, /"stop".*half of a character/],
    [
      { logprobs: true, topLogprobs: 21 },
      /"topLogprobs" is 21; it must be an integer from 0 to 20/,
    ],
    [{ deadlineMilliseconds: 0 }, /"deadlineMilliseconds" is 0; it must be a number above 0/],
    [{ deadlineMilliseconds: 2 ** 31 }, /"deadlineMilliseconds" is 2147483648/],
    [{ clientId: 3 }, /"clientId" is 3; it must be a string/],
    [{ signal: {} }, /"signal".*AbortSignal/],
    [{ max_tokens: 3 }, /Unknown option "max_tokens".*maxTokens/],
    [{ toString: 3 }, /Unknown option "toString"/],
    [{ topK: 5 }, /"topK" has no effect at temperature 0/],
    [{ topP: 0.5, temperature: 0 }, /"topP" has no effect at temperature 0/],
    [{ minP: 0.1 }, /"minP" has no effect at temperature 0/],
    [{ typicalP: 0.9 }, /"typicalP" has no effect at temperature 0/],
    [{ topLogprobs: 3 }, /"topLogprobs" is 3 without "logprobs"/],
    [{ topLogprobs: 3, logprobs: false }, /"topLogprobs" is 3 without "logprobs"/],
    [{ minTokens: 5, maxTokens: 4 }, /"minTokens" is 5, and "maxTokens" only 4/],
    [{ minTokens: 129 }, /"minTokens" is 129, and "maxTokens" only 128/],
    [{ minTokens: 5, ignoreEos: true }, /"minTokens" has no effect beside "ignoreEos"/],
    [null, /must be an object/],
  ])("rejects %o", (config, message) => {
    expect(() => resolveConfig(config as GenerationConfig)).toThrow(
      expect.objectContaining({
        code: "INVALID_CONFIG",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe("requestedOptions", () => {
  it("are those that change something", () => {
    expect(requestedOptions(resolveConfig({ maxTokens: 3, seed: 5, clientId: "a" }))).toEqual([]);
    const neutral = { repetitionPenalty: 1, logitBias: {}, stop: [], topLogprobs: 0 };
    expect(requestedOptions(resolveConfig(neutral))).toEqual([]);
    const config: GenerationConfig = {
      temperature: 1,
      topK: 3,
      minP: 0.5,
      repetitionPenalty: 1.1,
      logitBias: { 3: 1 },
      stop: "a",
      minTokens: 1,
      logprobs: true,
    };
    expect(requestedOptions(resolveConfig(config)).toSorted()).toEqual(
      Object.keys(config).toSorted(),
    );
  });
});
