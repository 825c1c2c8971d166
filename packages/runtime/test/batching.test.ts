import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GenerationConfig, GenerationResult } from "@streamgauge/core";
import { createInlineGenerator, createRuntime, pacedModel } from "@streamgauge/runtime";
import { buildModel } from "@streamgauge/runtime/onnx";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePlainAttention } from "./plain-attention.js";
import { temporaryFolder } from "./temporary-folder.js";

const prompts = [
  "Call me Ishmael.",
  "The whale",
  [38],
  "And God said, Let there be",
  "Fellow citizens of the Senate and House of Representatives: ".repeat(12),
  [900, 12, 77, 640, 233, 1500, 42, 8],
  "It was a clear steel-blue day. The firmaments of air and sea were hardly separable",
  "In the year 1850 the Treasury of the United States",
] as const;

let alone: Awaited<ReturnType<typeof createInlineGenerator>>;
let together: Awaited<ReturnType<typeof createRuntime>>;
beforeAll(async () => {
  alone = await createInlineGenerator({ maxBatch: 1, prefixReuse: false });
  together = await createRuntime();
});
afterAll(async () => {
  await alone.close();
  await together.close();
});

/** But for the last digits of log-probabilities: sums in another order. */
function expectAlike(result: GenerationResult, expected: GenerationResult): void {
  expect(result.ids).toEqual(expected.ids);
  expect(result.text).toBe(expected.text);
  expect(result.finishReason).toBe(expected.finishReason);
  expect(result.logprobs?.length).toBe(expected.logprobs?.length);
  for (const [index, logprob] of (expected.logprobs ?? []).entries()) {
    expect(result.logprobs?.[index]).toBeCloseTo(logprob, 4);
  }
}

describe("generations at the same time", () => {
  it("are as many as the graph allows", () => {
    expect(together.describe().maxBatch).toBe(8);
    expect(alone.describe().maxBatch).toBe(1);
  });

  it("make what each makes alone, whatever their lengths, prompts and sampling", async () => {
    const configs = prompts.map((_, index): GenerationConfig => ({
      maxTokens: 20 + 17 * index,
      ignoreEos: true,
      logprobs: true,
      ...(index % 2 === 1 && { temperature: 0.9, topP: 0.9, seed: index }),
    }));
    const results = await Promise.all(
      prompts.map((prompt, index) => together.generate(prompt, configs[index])),
    );
    expect(results.map(({ usage }) => usage.completionTokens)).toEqual(
      configs.map(({ maxTokens }) => maxTokens),
    );
    for (const [index, prompt] of prompts.entries()) {
      expectAlike(results[index]!, await alone.generate(prompt, configs[index]));
    }
  });

  it("make the same when their prompts are run together", async () => {
    await using many = await createInlineGenerator({ maxBatch: 16, prefixReuse: false });
    const lengths = Array.from({ length: 16 }, (_, index) => 2 + ((index * 7) % 13));
    const config = { maxTokens: 12, ignoreEos: true, logprobs: true };
    const requests = lengths.map((length, index) =>
      Array.from({ length }, (_id, at) => 3 + ((index * 131 + at * 37) % 2000)),
    );
    const results = await Promise.all(requests.map((ids) => many.generate(ids, config)));
    expect(results.map(({ usage }) => usage.promptTokens)).toEqual(lengths);
    for (const [index, ids] of requests.entries()) {
      expectAlike(results[index]!, await alone.generate(ids, config));
    }
  });

  it("go on alike when others join and leave, and when they begin with kept ids", async () => {
    const request = fc.record({
      prompt: fc.integer({ min: 0, max: prompts.length - 1 }),
      more: fc.array(fc.integer({ min: 3, max: 2000 }), { maxLength: 3 }),
      maxTokens: fc.integer({ min: 1, max: 24 }),
      stopAfter: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 14 }), async (requests) => {
        await Promise.all(
          requests.map(async ({ prompt: index, more, maxTokens, stopAfter }) => {
            const first = prompts[index]!;
            const prompt = typeof first === "string" ? first + more.join(" ") : [...first, ...more];
            const config = { maxTokens, ignoreEos: true };
            const ids: number[] = [];
            for await (const { id } of together.generateStreamAsync(prompt, config)) {
              ids.push(id);
              if (ids.length === stopAfter) break;
            }
            const { ids: expected } = await alone.generate(prompt, config);
            expect(ids).toEqual(expected.slice(0, stopAfter));
          }),
        );
      }),
      { seed: 5, numRuns: 12 },
    );
    expect(together.metrics().active).toBe(0);
  });

  it("does not wait for a consumer that does not read", async () => {
    await using runtime = await createRuntime({ ring: { capacity: 4 } });
    const config = { maxTokens: 40, ignoreEos: true };
    const asleep = runtime.generateStreamAsync("The whale", config)[Symbol.asyncIterator]();
    const first = await asleep.next();
    const others = await Promise.all(
      prompts.slice(0, 4).map((prompt) => runtime.generate(prompt, config)),
    );
    for (const [index, result] of others.entries()) {
      expectAlike(result, await alone.generate(prompts[index]!, config));
    }
    const ids = [first.value?.id];
    for (let next = await asleep.next(); next.done !== true; next = await asleep.next()) {
      ids.push(next.value.id);
    }
    expect(ids).toEqual((await alone.generate("The whale", config)).ids);
  });

  it("fail and are stopped one by one", async () => {
    const config = { maxTokens: 30, ignoreEos: true };
    const abort = new AbortController();
    const [failed, stopped, fine] = await Promise.allSettled([
      together.generateStream(
        "The whale",
        () => {
          throw new Error("mine");
        },
        config,
      ),
      together.generateStream("The whale", () => abort.abort(), {
        ...config,
        signal: abort.signal,
      }),
      together.generate("The whale", config),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "CALLBACK_FAILED" } });
    expect(stopped).toMatchObject({ value: { finishReason: "aborted" } });
    expect(fine).toMatchObject({ status: "fulfilled" });
    if (fine.status === "fulfilled")
      expectAlike(fine.value, await alone.generate("The whale", config));
  });

  it("share one thread too", async () => {
    await using inline = await createInlineGenerator({ maxBatch: 3 });
    const config = { maxTokens: 15, ignoreEos: true };
    const results = await Promise.all(prompts.map((prompt) => inline.generate(prompt, config)));
    expect(inline.describe().maxBatch).toBe(3);
    for (const [index, result] of results.entries()) {
      expectAlike(result, await alone.generate(prompts[index]!, config));
    }
  });
});

describe("maxBatch", () => {
  const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));

  it.each(["fp16", "q8", "q4", "q4f16"] as const)("changes no ids of %s", async (dtype) => {
    const model = join(await temporaryFolder(), "model");
    await buildModel({ checkpoint, out: model, dtypes: [dtype] });
    await using one = await createInlineGenerator({ model, dtype, maxBatch: 1 });
    await using many = await createInlineGenerator({ model, dtype, maxBatch: 7 });
    const config = { maxTokens: 30, ignoreEos: true, logprobs: true };
    // Short ones are about as long, so that they are run together.
    const short = [
      [38, 900, 4],
      [12, 77, 640, 233],
      [5, 6, 7],
      [1500, 42, 8, 9],
    ];
    for (const requests of [prompts, short]) {
      const results = await Promise.all(requests.map((prompt) => many.generate(prompt, config)));
      for (const [index, prompt] of requests.entries()) {
        expectAlike(results[index]!, await one.generate(prompt, config));
      }
    }
    expect(many.describe().maxBatch).toBe(7);
  });

  it("is 1 where the graph hands its whole cache back, and more is refused", async () => {
    const model = join(await temporaryFolder(), "model");
    await writePlainAttention(model, {});
    await using plain = await createInlineGenerator({ model });
    expect(plain.describe().maxBatch).toBe(1);
    const prompt = [1, 2, 3];
    const [first, second] = await Promise.all([
      plain.generate(prompt, { maxTokens: 5, ignoreEos: true }),
      plain.generate(prompt, { maxTokens: 5, ignoreEos: true }),
    ]);
    expect(first.ids).toEqual(second.ids);
    await expect(createInlineGenerator({ model, maxBatch: 2 })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("maxBatch is 2"),
    });
  });

  it.each([0, 1.5, Number.NaN])("is refused when it is %s", async (maxBatch) => {
    await expect(createRuntime({ maxBatch })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  it("is refused to the paced model", async () => {
    const model = pacedModel({ stepMicroseconds: 0 });
    await expect(createRuntime({ model, maxBatch: 2 })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});
