import { resolveConfig, resolvePrompt, type GenerationConfig } from "@streamgauge/core";
import { describe, expect, it } from "vitest";

describe("resolveConfig", () => {
  it("fills in greedy decoding of 128 tokens", () => {
    expect(resolveConfig({ seed: 1 })).toEqual({
      maxTokens: 128,
      temperature: 0,
      topK: undefined,
      topP: undefined,
      seed: 1,
      stopTokenIds: [],
      ignoreEos: false,
      logprobs: false,
      deadlineMilliseconds: undefined,
      clientId: "",
    });
  });

  it("draws a seed when none is given", () => {
    const seeds = new Set(Array.from({ length: 20 }, () => resolveConfig().seed));
    expect(seeds.size).toBeGreaterThan(1);
  });

  it("can be posted to another thread", () => {
    const resolved = resolveConfig({ temperature: 0.8, topP: 0.9, signal: AbortSignal.abort() });
    expect(structuredClone(resolved)).toEqual(resolved);
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
    [{ logprobs: "yes" }, /"logprobs"/],
    [{ deadlineMilliseconds: 0 }, /"deadlineMilliseconds" is 0; it must be a number above 0/],
    [{ deadlineMilliseconds: 2 ** 31 }, /"deadlineMilliseconds" is 2147483648/],
    [{ clientId: 3 }, /"clientId" is 3; it must be a string/],
    [{ signal: {} }, /"signal".*AbortSignal/],
    [{ max_tokens: 3 }, /Unknown option "max_tokens".*maxTokens/],
    [{ toString: 3 }, /Unknown option "toString"/],
    [{ topK: 5 }, /"topK" has no effect at temperature 0/],
    [{ topP: 0.5, temperature: 0 }, /"topP" has no effect at temperature 0/],
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

describe("resolvePrompt", () => {
  it("takes text and any array of ids", () => {
    expect(resolvePrompt("hello")).toBe("hello");
    expect(resolvePrompt([1, 2])).toEqual([1, 2]);
    expect(resolvePrompt(Uint16Array.of(3, 4))).toEqual([3, 4]);
  });

  it.each([
    ["", /empty/],
    [[], /empty/],
    [[1, -2], /position 1 is -2/],
    [[1.5], /position 0 is 1.5/],
    [["a"], /position 0 is "a"/],
    [undefined, /The prompt is undefined/],
    [{}, /The prompt is of type object/],
  ])("rejects %o", (prompt, message) => {
    expect(() => resolvePrompt(prompt as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_PROMPT",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});
