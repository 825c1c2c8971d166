import type { GenerationConfig, Generator, Prompt, StreamToken } from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  pacedModel,
  type PacedModel,
} from "@streamgauge/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const prompt = "It is not down in any map;";

type Hosted = Generator & AsyncDisposable;

async function iterate(generator: Generator, text: Prompt, config: GenerationConfig) {
  const stream = generator.generateStreamAsync(text, config);
  const tokens: StreamToken[] = [];
  for await (const token of stream) tokens.push(token);
  return { tokens, result: await stream.result };
}

async function callBack(generator: Generator, text: Prompt, config: GenerationConfig) {
  const tokens: StreamToken[] = [];
  const result = await generator.generateStream(text, (token) => void tokens.push(token), config);
  return { tokens, result };
}

/** Each call runs its whole prompt, so that results are the same to the last digit. */
const wholePrompts = { prefixReuse: false };
const pequod = {
  pooled: () => createRuntime(wholePrompts),
  "pooled through the smallest ring": () =>
    createRuntime({ ...wholePrompts, ring: { capacity: 1 } }),
  "pooled in batches": () =>
    createRuntime({ ...wholePrompts, ring: { capacity: 64, publishBatch: 16 } }),
  inline: () => createInlineGenerator(wholePrompts),
} satisfies Record<string, () => Promise<Hosted>>;

const configs: GenerationConfig[] = [
  { maxTokens: 48 },
  { maxTokens: 48, temperature: 0.8, topP: 0.95, seed: 1851 },
  { maxTokens: 48, temperature: 1.3, topK: 20, seed: 7, logprobs: true },
  { maxTokens: 48, stopTokenIds: [14] },
  { maxTokens: 24, temperature: 1.2, minP: 0.02, seed: 3, logprobs: true, topLogprobs: 7 },
  { maxTokens: 48, repetitionPenalty: 1.2, frequencyPenalty: 0.4, stop: ["unto", ", and"] },
];

describe("all modes on all hosts of the embedded model", () => {
  let reference: Generator & AsyncDisposable;
  beforeAll(async () => {
    reference = await createInlineGenerator(wholePrompts);
  });
  afterAll(() => reference[Symbol.asyncDispose]());

  it.each(Object.entries(pequod))("yield the same completion: %s", async (_, open) => {
    await using generator = await open();
    for (const config of configs) {
      const expected = await reference.generate(prompt, config);
      const collected = await generator.generate(prompt, config);
      const called = await callBack(generator, prompt, config);
      const iterated = await iterate(generator, prompt, config);
      for (const result of [collected, called.result, iterated.result]) {
        expect(result).toEqual({ ...expected, timings: expect.anything() as unknown });
      }
      for (const tokens of [called.tokens, iterated.tokens]) {
        expect(tokens.map(({ id }) => id)).toEqual(expected.ids);
        expect(tokens.map(({ index }) => index)).toEqual([...expected.ids.keys()]);
        expect(tokens.map(({ text }) => text).join("")).toBe(expected.text);
        expect(tokens.map(({ logprob }) => logprob)).toEqual(
          expected.logprobs ?? expected.ids.map(() => undefined),
        );
        expect(tokens.map(({ topLogprobs }) => topLogprobs)).toEqual(
          expected.topLogprobs ?? expected.ids.map(() => undefined),
        );
      }
    }
  });

  it("depend on the seed alone, whichever worker runs them", async () => {
    await using runtime = await createRuntime({ workers: 2, threads: 1 });
    const config = { maxTokens: 24, temperature: 1, seed: 99 };
    const results = await Promise.all(
      Array.from({ length: 8 }, () => runtime.generate(prompt, config)),
    );
    expect(new Set(results.map(({ text }) => text)).size).toBe(1);
    const other = await runtime.generate(prompt, { ...config, seed: 100 });
    expect(other.text).not.toBe(results[0]?.text);
  });
});

describe("a generation of the embedded model", () => {
  let runtime: Awaited<ReturnType<typeof createRuntime>>;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.close());

  it("takes ids where it takes text", async () => {
    const { ids } = await runtime.generate("And God said", { maxTokens: 4 });
    const tokens = await callBack(runtime, [...ids], { maxTokens: 4 });
    expect(tokens.result.usage).toMatchObject({ promptTokens: 4, completionTokens: 4 });
  });

  it("has log-probabilities that are those of greedy choice", async () => {
    const { logprobs } = await runtime.generate(prompt, { maxTokens: 8, logprobs: true });
    expect(logprobs).toHaveLength(8);
    for (const logprob of logprobs ?? []) {
      expect(logprob).toBeLessThanOrEqual(0);
      // The likeliest of 2,048 ids has at least the average probability.
      expect(logprob).toBeGreaterThanOrEqual(-Math.log(2048));
    }
  });

  it("ends with the end-of-sequence token, flagged and without text", async () => {
    // After the separator a document begins; sampling reaches the next separator.
    const { tokens, result } = await callBack(runtime, prompt, {
      maxTokens: 900,
      temperature: 1,
      seed: 6,
      stopTokenIds: [],
    });
    const flagged = tokens.filter(({ endOfSequence }) => endOfSequence);
    expect(result.finishReason).toBe("eos");
    expect(flagged).toEqual([tokens.at(-1)]);
    expect(flagged[0]).toMatchObject({ id: 0, text: "" });
    const beyond = await runtime.generate(prompt, {
      maxTokens: tokens.length + 5,
      temperature: 1,
      seed: 6,
      ignoreEos: true,
    });
    expect(beyond.ids.slice(0, tokens.length)).toEqual(result.ids);
    expect(beyond.ids).toHaveLength(tokens.length + 5);
  });

  it("ends at a stop id and keeps it", async () => {
    const { ids } = await runtime.generate(prompt, { maxTokens: 12 });
    const stopId = ids[5] ?? -1;
    const stopped = await runtime.generate(prompt, { maxTokens: 12, stopTokenIds: [stopId] });
    expect(stopped.finishReason).toBe("stop");
    expect(stopped.ids).toEqual(ids.slice(0, ids.indexOf(stopId) + 1));
  });

  it("ends when the context is full, and makes exactly what fits", async () => {
    const result = await runtime.generate([5, 6, 7, 8], { maxTokens: 5000, ignoreEos: true });
    expect(result.finishReason).toBe("context");
    expect(result.usage).toMatchObject({ promptTokens: 4, completionTokens: 1020 });
  });

  it("starts anew each time: what ran before leaves no trace", async () => {
    const config = { maxTokens: 20 };
    const first = await runtime.generate(prompt, config);
    await runtime.generate("Fellow citizens of the Senate", { maxTokens: 300, ignoreEos: true });
    expect((await runtime.generate(prompt, config)).ids).toEqual(first.ids);
  });

  it("stamps tokens between the call and their delivery, in order", async () => {
    const before = performance.now();
    const { tokens } = await iterate(runtime, prompt, { maxTokens: 20 });
    const stamps = tokens.map(({ producedAtMilliseconds }) => producedAtMilliseconds ?? -1);
    const times = [before, ...stamps, performance.now()];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("says what it runs", () => {
    expect(runtime.describe()).toMatchObject({
      model: "pequod",
      engine: "onnxruntime",
      architecture: "llama",
      vocabularySize: 2048,
      contextLength: 1024,
      eosTokenIds: [0],
      cache: "in-place",
      prefixReuse: "sequences",
      executionProvider: "cpu",
      workers: 1,
      ring: { capacity: 256, publishBatch: 1 },
      recommendedSampling: { temperature: 0.8, topP: 0.95 },
    });
  });

  it("says how much memory its workers use", async () => {
    const { residentBytes, workers } = await runtime.memory();
    expect(workers).toHaveLength(1);
    expect(workers[0]?.heapUsedBytes).toBeGreaterThan(0);
    expect(residentBytes).toBeGreaterThan(workers[0]?.heapUsedBytes ?? Infinity);
  });
});

describe("the paced model", () => {
  const model: PacedModel = pacedModel({ stepMicroseconds: 0 });

  it.each([
    ["pooled", () => createRuntime({ model })],
    ["inline", () => createInlineGenerator({ model })],
  ])("emits its known ids in all modes: %s", async (_, open) => {
    await using generator = await open();
    const config = { maxTokens: 1500 };
    const expected = Array.from({ length: 1500 }, (_unused, index) => index % 1000);
    const whole = await generator.generate("go", config);
    expect(whole.ids).toEqual(expected);
    expect(whole.text.slice(0, 8)).toBe(" 0 1 2 3");
    expect((await callBack(generator, "go", config)).result.ids).toEqual(expected);
    expect((await iterate(generator, "go", config)).result.ids).toEqual(expected);
  });

  it("refuses options that would change nothing", async () => {
    await using generator = await createInlineGenerator({ model });
    await expect(generator.generate("go", { temperature: 1 })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
    });
  });

  it.each([-1, Number.NaN, Infinity])("refuses a step of %d µs", (stepMicroseconds) => {
    expect(() => pacedModel({ stepMicroseconds })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });
});
