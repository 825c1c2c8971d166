import { join } from "node:path";
import type { GenerationConfig, Generator } from "@streamgauge/core";
import { createInlineGenerator, createRuntime, type InlineGenerator } from "@streamgauge/runtime";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";
import { hubRow } from "./zoo/group-query-folders.js";
import { stateRows } from "./zoo/state-rows.js";

/** Writes the row's model. */
async function folderOf(name: string): Promise<string> {
  const row = stateRows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`The zoo has no row ${name}.`);
  const folder = join(await temporaryFolder(), "model");
  await row.write(folder);
  return folder;
}

const convolutions = "GroupQueryAttention, short convolutions";
/** A convolution and a recurrence, which forgets nothing, in place; and handed back. */
const kinds = [convolutions, "GroupQueryAttention, Mamba's states", "Concat, Mamba's states"];

function promptOf(seed: number, length: number): number[] {
  return Array.from({ length }, (_, at) => (seed * 7 + at * (2 * seed + 3) + at * at) % 48);
}

const greedily = (maxTokens: number): GenerationConfig => ({ maxTokens, ignoreEos: true });

/** Ids with their log-probabilities, and how much of the prompt was not run. */
async function run(generator: Generator, prompt: readonly number[], maxTokens = 12) {
  const config = { ...greedily(maxTokens), logprobs: true };
  const { ids, usage, logprobs = [] } = await generator.generate(prompt, config);
  return { ids, logprobs, cached: usage.cachedTokens };
}

/** A state that is wrong by one id may still lead to the same ids. */
function expectAlike(
  result: Awaited<ReturnType<typeof run>>,
  expected: Awaited<ReturnType<typeof run>>,
  digits: number,
): void {
  expect(result.ids).toEqual(expected.ids);
  expect(expected.cached).toBe(0);
  for (const [index, logprob] of expected.logprobs.entries()) {
    expect(result.logprobs[index]).toBeCloseTo(logprob, digits);
  }
}

describe("what a prompt goes on from, of layers whose states are of one length", () => {
  it.each(kinds)("is all that was run, or all of the prompt before: %s", async (name) => {
    const model = await folderOf(name);
    await using reusing = await createInlineGenerator({ model, threads: 1 });
    await using plain = await createInlineGenerator({ model, threads: 1, prefixReuse: false });
    expect(reusing.describe()).toMatchObject({
      prefixReuse: "sequences",
      reasons: { prefixReuse: expect.stringMatching(/layers' states are kept/) as string },
    });
    const both = async (prompt: readonly number[]) => {
      const result = await run(reusing, prompt);
      expectAlike(result, await run(plain, prompt), 4);
      return result;
    };
    const prompt = promptOf(3, 20);
    const first = await both(prompt);
    expect(first.cached).toBe(0);
    // All that was run: its last id was not.
    const second = [...prompt, ...first.ids, 5, 6, 7];
    const { ids, cached } = await both(second);
    expect(cached).toBe(20 + 11);
    // Another completion behind the same prompt.
    expect((await both([...second, ...ids.slice(0, 4), 1, 2])).cached).toBe(second.length);
    // The last prompt itself: its last id has to be run, and there is no state before it.
    const third = [...second, ...ids.slice(0, 4), 1, 2];
    expect((await both(third)).cached).toBe(0);
    // Less than the prompt.
    expect((await both(third.slice(0, -2))).cached).toBe(0);
    expect((await both(promptOf(8, 9))).cached).toBe(0);
  });

  it("is a prompt whose ids were run together, where a step rounds in its own way", async () => {
    const model = await folderOf("GroupQueryAttention, short convolutions, q4");
    await using reusing = await createInlineGenerator({ model, threads: 1 });
    await using plain = await createInlineGenerator({ model, threads: 1, prefixReuse: false });
    expect(reusing.describe().prefixReuse).toBe("prompts");
    const prompt = promptOf(3, 20);
    const first = await run(reusing, prompt);
    const second = [...prompt, ...first.ids, 5, 6, 7];
    const turn = await run(reusing, second);
    expect(turn.cached).toBe(prompt.length);
    expectAlike(turn, await run(plain, second), 3);
    expect((await run(reusing, prompt)).cached).toBe(0);
  });

  it("is nothing where several ids begin anew behind a state", async () => {
    const name = `${convolutions} begun anew with several ids`;
    await using generator = await createInlineGenerator({
      model: await folderOf(name),
      threads: 1,
    });
    const reason = "the graph computed other logits for several ids behind its layers' states";
    expect(generator.describe()).toMatchObject({
      cache: "in-place",
      maxBatch: 8,
      prefixReuse: "off",
      reasons: { promptPieces: reason, prefixReuse: reason },
    });
    const prompt = promptOf(3, 20);
    const { ids } = await run(generator, prompt);
    expect((await run(generator, [...prompt, ...ids, 4])).cached).toBe(0);
  });
});

describe.each([convolutions, "GroupQueryAttention, Mamba's states"])("a batch: %s", (name) => {
  const openAlone = (model: string): Promise<InlineGenerator> =>
    createInlineGenerator({ model, threads: 1, maxBatch: 1, prefixReuse: false });

  it("of eight streams has the ids of each alone, whichever reader stands still", async () => {
    const model = await folderOf(name);
    await using alone = await openAlone(model);
    await using runtime = await createRuntime({ model, threads: 1, ring: { capacity: 2 } });
    expect(runtime.describe()).toMatchObject({
      maxBatch: 8,
      reasons: {
        maxBatch: expect.stringMatching(/states of its own; prompts run alone/) as string,
      },
    });
    const prompts = Array.from({ length: 8 }, (_, seed) => promptOf(seed, 3 + ((seed * 11) % 29)));
    const streams = prompts.map((prompt) =>
      runtime.generateStreamAsync(prompt, greedily(40))[Symbol.asyncIterator](),
    );
    const made = streams.map((): number[] => []);
    const read = async (index: number, count: number): Promise<void> => {
      for (let token = 0; token < count; token++) {
        const next = await streams[index]?.next();
        if (next?.done === false) made[index]?.push(next.value.id);
      }
    };
    // All are there, and each stands still for a while beside others that do not.
    await Promise.all(streams.map((_, index) => read(index, 1)));
    expect(runtime.metrics().active).toBe(8);
    for (const turn of [0, 1, 2, 3]) {
      const reading = streams.map((_, index) => index).filter((index) => index % 4 !== turn);
      await Promise.all(reading.map((index) => read(index, 7 + (index % 3))));
    }
    await Promise.all(streams.map((_, index) => read(index, 41)));
    for (const [index, prompt] of prompts.entries()) {
      expect(made[index]).toEqual((await run(alone, prompt, 40)).ids);
    }
  });

  it("of sequences that join, leave, go on and are cut off has them too", async () => {
    const model = await folderOf(name);
    await using alone = await openAlone(model);
    await using runtime = await createRuntime({ model, threads: 1, maxBatch: 3 });
    const call = fc.record({
      seed: fc.integer({ min: 0, max: 4 }),
      length: fc.integer({ min: 1, max: 80 }),
      turns: fc.integer({ min: 1, max: 3 }),
      keeps: fc.integer({ min: 0, max: 14 }),
      maxTokens: fc.integer({ min: 1, max: 14 }),
      stopAfter: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    });
    let reused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 8 }), async (calls) => {
        await Promise.all(
          calls.map(async ({ seed, length, turns, keeps, maxTokens, stopAfter }) => {
            let prompt: readonly number[] = promptOf(seed, length);
            for (let turn = 0; turn < turns; turn++) {
              const stream = runtime.generateStreamAsync(prompt, greedily(maxTokens));
              const ids: number[] = [];
              for await (const { id } of stream) {
                ids.push(id);
                if (ids.length === stopAfter) break;
              }
              const expected = await run(alone, prompt, maxTokens);
              expect(ids).toEqual(expected.ids.slice(0, stopAfter));
              prompt = [...prompt, ...expected.ids.slice(0, keeps), 9, turn];
            }
          }),
        );
        reused = runtime.metrics().tokens.cached;
      }),
      { seed: 11, numRuns: 15 },
    );
    expect(reused).toBeGreaterThan(0);
  });
});

it("maxBatch is refused where the batch is fixed", async () => {
  const model = join(await temporaryFolder(), "model");
  const row = hubRow("", "", { states: ["mamba", undefined], staticBatch: "inputs" });
  await row.write(model);
  await expect(createInlineGenerator({ model, maxBatch: 2 })).rejects.toMatchObject({
    code: "MODEL_UNSUPPORTED",
  });
});
