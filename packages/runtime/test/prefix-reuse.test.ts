import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import {
  isStreamgaugeError,
  type GenerationConfig,
  type GenerationResult,
} from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  pacedModel,
  type InlineGenerator,
} from "@streamgauge/runtime";
import { buildModel } from "@streamgauge/runtime/onnx";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
const opening = [38, 300, 500, 41, 700, 802, 913, 66, 1204, 77, 351, 19];
const other = [900, 12, 77, 640, 233, 1500, 42, 8];
let reusing: InlineGenerator;
let plain: InlineGenerator;

beforeAll(async () => {
  reusing = await createInlineGenerator();
  plain = await createInlineGenerator({ prefixReuse: false });
});
afterAll(async () => {
  await reusing.close();
  await plain.close();
});

/**
 * Expects equal results, except for the last digits of log-probabilities: a row that was made alone
 * and one that was made among others add up the same products in another order.
 */
function expectAlike(result: GenerationResult, expected: GenerationResult, digits = 4): void {
  expect(result.ids).toEqual(expected.ids);
  expect(result.text).toBe(expected.text);
  expect(result.finishReason).toBe(expected.finishReason);
  expect(expected.usage.cachedTokens).toBe(0);
  expect(result.logprobs?.length).toBe(expected.logprobs?.length);
  for (const [index, logprob] of (expected.logprobs ?? []).entries()) {
    expect(result.logprobs?.[index]).toBeCloseTo(logprob, digits);
  }
}

/** Calls both generators, and returns the one that reuses. */
async function runBoth(prompt: readonly number[], config: GenerationConfig) {
  const withLogprobs = { logprobs: true, ...config };
  const result = await reusing.generate(prompt, withLogprobs);
  expectAlike(result, await plain.generate(prompt, withLogprobs));
  return { ...result, cached: result.usage.cachedTokens };
}

/** What is in the cache after a completion that was not stopped: its last id was not run. */
function rowsOf(prompt: readonly number[], { ids }: GenerationResult): number[] {
  return [...prompt, ...ids.slice(0, -1)];
}

describe("a generation whose prompt begins like the sequence before", () => {
  it("takes nothing from the warm-up", async () => {
    await using first = await createInlineGenerator();
    expect((await first.generate("a", { maxTokens: 2 })).usage.cachedTokens).toBe(0);
    expect(first.describe().prefixReuse).toBe("sequences");
    expect(plain.describe().prefixReuse).toBe("off");
  });

  it("skips as much of it as there is, whether it grows, repeats, shrinks or diverges", async () => {
    const started = await runBoth([...other, ...opening], { maxTokens: 12 });
    expect(started.cached).toBe(0);
    const grown = [...other, ...opening, ...started.ids, 5, 6, 7];
    expect((await runBoth(grown, { maxTokens: 5 })).cached).toBe(8 + 12 + 12 - 1);
    expect((await runBoth(grown, { maxTokens: 5 })).cached).toBe(grown.length - 1);
    expect((await runBoth(grown.slice(0, 9), { maxTokens: 5 })).cached).toBe(8);
    const diverged = [...grown.slice(0, 6), 1, 2, 3];
    expect((await runBoth(diverged, { maxTokens: 5 })).cached).toBe(6);
    expect((await runBoth(opening, { maxTokens: 5 })).cached).toBe(0);
    expect((await runBoth([opening[0]!], { maxTokens: 5 })).cached).toBe(0);
  });

  it("continues alike after any history", async () => {
    const step = fc.record({
      keptShare: fc.double({ min: 0, max: 1, noNaN: true }),
      appended: fc.array(fc.integer({ min: 1, max: 2047 }), { minLength: 1, maxLength: 5 }),
      maxTokens: fc.integer({ min: 1, max: 6 }),
      temperature: fc.constantFrom(0, 0.8),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
        let sequence = opening;
        let rows: readonly number[] | undefined;
        for (const { keptShare, appended, ...config } of steps) {
          const prompt = [
            ...sequence.slice(0, Math.floor(keptShare * (sequence.length + 1))),
            ...appended,
          ];
          const result = await runBoth(prompt, { ...config, seed: 7, ignoreEos: true });
          if (rows !== undefined) {
            const differs = prompt.findIndex((id, index) => rows?.[index] !== id);
            const shared = differs === -1 ? prompt.length : differs;
            expect(result.cached).toBe(Math.min(shared, prompt.length - 1));
          }
          rows = rowsOf(prompt, result);
          sequence = [...prompt, ...result.ids];
        }
      }),
      { numRuns: 12, seed: 5 },
    );
  });

  it("goes on from a text and from longer than a run takes", async () => {
    const text = "It was a clear steel-blue day. ".repeat(40);
    const first = await reusing.generate(text, { maxTokens: 4 });
    expect(first.usage.promptTokens).toBeGreaterThan(256);
    const longer = `${text}And the whale`;
    const second = await reusing.generate(longer, { maxTokens: 8 });
    expectAlike(second, await plain.generate(longer, { maxTokens: 8 }));
    expect(second.usage.cachedTokens).toBeGreaterThanOrEqual(first.usage.promptTokens - 1);
  });

  it.each([1, 2, 7])("continues alike after a generation stopped at token %i", async (stopAt) => {
    const stopped = await reusing.generateStream(opening, ({ index }) => index + 1 < stopAt, {
      maxTokens: 60,
      ignoreEos: true,
    });
    expect(stopped.finishReason).toBe("cancelled");
    // Whether the last one was run depends on when the engine saw the stop.
    const made = stopped.usage.producedTokens ?? 0;
    const whole = await plain.generate(opening, { maxTokens: 60, ignoreEos: true });
    const next = [...opening, ...whole.ids];
    const { cached } = await runBoth(next, { maxTokens: 9 });
    expect([made - 1, made]).toContain((cached ?? 0) - opening.length);
  });

  it("continues alike after an abort within the prompt, and after a failure", async () => {
    const long = Array.from({ length: 600 }, (_, index) => 1 + ((index * 37) % 2047));
    await runBoth(other, { maxTokens: 1 });
    const controller = new AbortController();
    const aborted = reusing.generate(long, { maxTokens: 1, signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(await aborted).toMatchObject({ finishReason: "aborted", ids: [] });
    // Whole pieces of 256 ids were run.
    expect((await runBoth(long, { maxTokens: 6 })).cached! % 256).toBe(0);

    const everyId = Array.from({ length: 2048 }, (_, id) => id);
    const impossible = { minTokens: 1, stopTokenIds: everyId };
    const failure: unknown = await reusing.generate(opening, impossible).catch((e: unknown) => e);
    expect(isStreamgaugeError(failure) && failure.code).toBe("INVALID_CONFIG");
    expect((await runBoth(opening, { maxTokens: 6 })).cached).toBe(opening.length - 1);
    // This one fails before it begins.
    await expect(reusing.generate(Array<number>(2000).fill(1))).rejects.toThrow("context");
    expect((await runBoth(opening, { maxTokens: 6 })).cached).toBe(opening.length - 1);
  });
});

describe("a graph whose numbers are not floats of 32 bits", () => {
  it.each(["fp16", "q8", "q4", "q4f16"] as const)(
    "goes on from prompts, and never from a row that was run alone: %s",
    async (dtype) => {
      const model = join(await temporaryFolder(), "model");
      await buildModel({ checkpoint, out: model, dtypes: [dtype] });
      await using reuses = await createInlineGenerator({ model });
      await using runsWhole = await createInlineGenerator({ model, prefixReuse: false });
      expect(reuses.describe().prefixReuse).toBe("prompts");
      const run = async (prompt: readonly number[]) => {
        const config = { maxTokens: 12, ignoreEos: true, logprobs: true };
        const result = await reuses.generate(prompt, config);
        expectAlike(result, await runsWhole.generate(prompt, config), 3);
        return { ids: result.ids, cached: result.usage.cachedTokens };
      };
      const first = await run([...other, ...opening]);
      const grown = [...other, ...opening, ...first.ids, 7, 9];
      expect((await run(grown)).cached).toBe(8 + 12);
      expect((await run(grown)).cached).toBe(grown.length - 2);
      expect((await run(grown.slice(0, 5))).cached).toBe(3);
      // Of a single id nothing can be kept, so it displaces nothing either.
      expect((await run([other[0]!])).cached).toBe(0);
      expect((await run(other)).cached).toBe(5);
      const long = Array.from({ length: 257 }, (_, index) => 1 + ((index * 37) % 2047));
      await run(long);
      expect((await run([...long, 3, 4])).cached).toBe(257);
    },
  );
});

describe("several workers", () => {
  const small = { maxTokens: 4, ignoreEos: true };
  const calls: (readonly [string, readonly (string | number[])[]])[] = [
    ["ids", [opening, other]],
    ["texts", ["Call me Ishmael. Some years ago", "And God said, Let there be light"]],
  ];

  it.each(calls)("each go on with the conversation they have: %s", async (_, prompts) => {
    await using runtime = await createRuntime({ workers: 2, threads: 1 });
    for (const prompt of prompts) {
      expect((await runtime.generate(prompt, small)).usage.cachedTokens).toBe(0);
    }
    // In an order in which the worker that is free longest would be the wrong one.
    for (const prompt of [prompts[1]!, prompts[0]!, prompts[0]!, prompts[1]!]) {
      const longer = typeof prompt === "string" ? `${prompt} and more` : [...prompt, 44, 55];
      const result = await runtime.generate(longer, small);
      expect(result.usage.cachedTokens).toBeGreaterThanOrEqual(
        prompt.length > 20 ? 5 : prompt.length,
      );
      expectAlike(result, await plain.generate(longer, small));
    }
  });

  it.each([
    ["in two workers", { workers: 2, threads: 1, maxBatch: 1 }],
    ["in one", { workers: 1, threads: 1, maxBatch: 2 }],
  ])(
    "keep the conversation that has only its first id in common with another: %s",
    async (_, options) => {
      await using runtime = await createRuntime(options);
      const begin = opening[0]!;
      const [left, kept] = [[...other, 5, 6, 7], opening];
      // At once, so that each has a place; the first is left first.
      await Promise.all([
        runtime.generate(left, small),
        runtime.generate(kept, { ...small, maxTokens: small.maxTokens + 20, ignoreEos: true }),
      ]);
      const stranger = [begin, ...other, ...other];
      expect((await runtime.generate(stranger, small)).usage.cachedTokens).toBe(0);
      const next = await runtime.generate([...kept, 44, 55], small);
      expect(next.usage.cachedTokens).toBe(kept.length);
    },
  );

  it("do not let a call wait for the one that has its prompt", async () => {
    await using runtime = await createRuntime({ workers: 2, threads: 1, ring: { capacity: 8 } });
    // It fills its ring, and waits for a reader.
    const stream = runtime.generateStreamAsync(opening, { maxTokens: 500, ignoreEos: true });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const elsewhere = await runtime.generate(opening, small);
    expect(elsewhere.usage.cachedTokens).toBe(0);
    expect((await runtime.generate(opening, small)).usage.cachedTokens).toBe(opening.length - 1);
    await iterator.return?.();
  });

  it("do not count on the cache of one that was lost", async () => {
    const threads: Worker[] = [];
    const watch = (thread: Worker): void => void threads.push(thread);
    process.on("worker", watch);
    await using runtime = await createRuntime({ threads: 1 });
    process.off("worker", watch);
    const first = await runtime.generate(opening, small);
    expect((await runtime.generate(opening, small)).usage.cachedTokens).toBe(opening.length - 1);
    await threads[0]?.terminate();
    const isReplaced = (): void => expect(runtime.metrics().workers).toMatchObject({ replaced: 1 });
    await vi.waitFor(isReplaced, { timeout: 30_000 });
    const again = await runtime.generate(opening, small);
    expect(again.ids).toEqual(first.ids);
    expect(again.usage.cachedTokens).toBe(0);
  });

  it("tell of it in their metrics and to observers", async () => {
    const told: number[] = [];
    await using runtime = await createRuntime({
      threads: 1,
      observers: [{ generationEnded: ({ cachedTokens }) => void told.push(cachedTokens) }],
    });
    const first = await runtime.generate(opening, small);
    const longer = [...opening, ...first.ids, 44];
    await runtime.generate(longer, small);
    const cached = opening.length + first.ids.length - 1;
    expect(told).toEqual([0, cached]);
    expect(runtime.metrics().tokens).toEqual({
      prompt: opening.length + longer.length,
      cached,
      completion: 8,
    });
  });

  it("reuse nothing where that is off", async () => {
    await using runtime = await createRuntime({ prefixReuse: false, threads: 1 });
    expect(runtime.describe().prefixReuse).toBe("off");
    for (let call = 0; call < 3; call++) {
      expect((await runtime.generate(opening, small)).usage.cachedTokens).toBe(0);
    }
  });
});

it("the option is checked", async () => {
  const wrong = { prefixReuse: "yes" } as unknown as { prefixReuse: boolean };
  await expect(createRuntime(wrong)).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: 'prefixReuse is "yes"; it must be true or false.',
  });
  const model = pacedModel({ stepMicroseconds: 0 });
  await expect(createInlineGenerator({ model, prefixReuse: true })).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("no key/value cache") as string,
  });
});
