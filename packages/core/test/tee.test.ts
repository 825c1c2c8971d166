import { getEventListeners } from "node:events";
import { createGenerator, teeTokens, type StreamToken, type TokenStream } from "@streamgauge/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

const config = { maxTokens: 20, logprobs: true };

async function readAll(stream: TokenStream): Promise<StreamToken[]> {
  const tokens: StreamToken[] = [];
  for await (const token of stream) tokens.push(token);
  return tokens;
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function tee(count: number, limit: number, script = {}) {
  const backend = createScriptedBackend(script);
  const stream = createGenerator(backend).generateStreamAsync("go", config);
  const [first, second, ...others] = teeTokens(stream, count, { limit });
  if (first === undefined || second === undefined) return expect.fail("two branches at least");
  return { backend, stream, first, second, others };
}

describe("teeTokens", () => {
  it("gives every branch all tokens and the same result", async () => {
    const { stream, first, second, others } = tee(4, 3);
    const branches = [first, second, ...others];
    const read = await Promise.all(branches.map(readAll));
    const expected = Array.from({ length: 20 }, (_, index) => scriptedToken(index));
    expect(read).toEqual([expected, expected, expected, expected]);
    const whole = await stream.result;
    expect(whole.logprobs).toHaveLength(20);
    for (const branch of branches) expect(await branch.result).toEqual(whole);
  });

  it("never lets a branch be further ahead than the limit, whoever reads when", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 120 }),
        async (limit, readers) => {
          const { first, second, others } = tee(3, limit);
          const branches = [first, second, ...others].map((branch) => ({
            iterator: branch[Symbol.asyncIterator](),
            wants: 0,
            read: [] as number[],
          }));
          for (const reader of readers) {
            const branch = branches[reader];
            if (branch === undefined || branch.wants === 20) continue;
            branch.wants += 1;
            void branch.iterator.next().then(({ value }) => branch.read.push(value?.index ?? -1));
            await turns(3);
            const counts = branches.map(({ read }) => read.length);
            const slowest = Math.min(...branches.map(({ wants }) => wants));
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(limit);
            // And whoever may go on, does.
            for (const { wants, read } of branches) {
              if (wants <= slowest) expect(read).toHaveLength(wants);
              expect(read).toEqual([...read.keys()]);
            }
          }
          await Promise.all(branches.map(({ iterator }) => iterator.return()));
        },
      ),
      { numRuns: 40, seed: 1851 },
    );
  });

  it("makes the producer wait when the fastest branch waits for the slowest", async () => {
    const { backend, first, second } = tee(2, 3, { capacity: 2 });
    const reading = readAll(first);
    await turns(60);
    // Three in the tee, two in the queue, one made and waiting for room.
    expect(backend.made).toBe(6);
    expect(await Promise.all([reading, readAll(second)])).toMatchObject([
      { length: 20 },
      { length: 20 },
    ]);
  });

  it("does not wait for a branch that was left, and keeps what it had read", async () => {
    const { first, second } = tee(2, 1);
    const leave = async (): Promise<void> => {
      for await (const { index } of second) if (index === 2) break;
    };
    const [tokens] = await Promise.all([readAll(first), leave()]);
    expect(tokens).toHaveLength(20);
    expect(await first.result).toMatchObject({ finishReason: "length" });
    expect(await second.result).toMatchObject({
      finishReason: "cancelled",
      ids: [0, 3, 6],
      usage: { promptTokens: 1, completionTokens: 3 },
    });
  });

  it("stops the producer when all branches are left, and not before", async () => {
    const { backend, stream, first, second } = tee(2, 5);
    const iterators = [first, second].map((branch) => branch[Symbol.asyncIterator]());
    await Promise.all(iterators.map((iterator) => iterator.next()));
    await iterators[0]?.return();
    expect(backend.ended).toBe(0);
    await iterators[1]?.return();
    expect(backend.ended).toBe(1);
    for (const { result } of [stream, first, second]) {
      expect(await result).toMatchObject({ finishReason: "cancelled", ids: [0] });
    }
  });

  it("stops every branch with the generation, read or not", async () => {
    const controller = new AbortController();
    const generator = createGenerator(createScriptedBackend());
    const stream = generator.generateStreamAsync("go", { ...config, signal: controller.signal });
    const branches = teeTokens(stream);
    const iterators = branches.map((branch) => branch[Symbol.asyncIterator]());
    await iterators[0]?.next();
    await iterators[0]?.next();
    await iterators[1]?.next();
    controller.abort();
    expect(await branches[0].result).toMatchObject({ finishReason: "aborted", ids: [0, 3] });
    expect(await branches[1].result).toMatchObject({ finishReason: "aborted", ids: [0] });
    for (const iterator of iterators) expect((await iterator.next()).done).toBe(true);
  });

  it("stops a branch that is behind where another has read the stream to its end", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const generator = createGenerator(createScriptedBackend());
    const stream = generator.generateStreamAsync("go", { ...config, signal });
    const [fast, slow] = teeTokens(stream);
    const [inner, innerFast] = teeTokens(slow);
    const iterator = inner[Symbol.asyncIterator]();
    await iterator.next();
    expect(await Promise.all([readAll(fast), readAll(innerFast)])).toMatchObject([
      { length: 20 },
      { length: 20 },
    ]);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort();
    expect(await iterator.next()).toMatchObject({ done: true });
    expect(await inner.result).toMatchObject({ finishReason: "aborted", ids: [0] });
    for (const { result } of [stream, fast, slow, innerFast]) {
      expect(await result).toMatchObject({ finishReason: "length", ids: { length: 20 } });
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("leaves nothing on a signal when all branches are over", async () => {
    const { signal } = new AbortController();
    const generator = createGenerator(createScriptedBackend());
    const [first, second] = teeTokens(generator.generateStreamAsync("go", { ...config, signal }));
    const leave = async (): Promise<void> => {
      for await (const { index } of second) if (index === 2) break;
    };
    await Promise.all([readAll(first), leave()]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("gives a branch that is behind the rest before the failure", async () => {
    const { first, second } = tee(2, 10, { failAt: 5 });
    const failure = { code: "ENGINE_FAILED", partial: { ids: [0, 3, 6, 9, 12] } };
    await expect(readAll(first)).rejects.toMatchObject(failure);
    const iterator = second[Symbol.asyncIterator]();
    for (let index = 0; index < 5; index++) {
      expect(await iterator.next()).toMatchObject({ value: { index } });
    }
    await expect(iterator.next()).rejects.toMatchObject(failure);
    await expect(second.result).rejects.toMatchObject(failure);
  });

  it("tees a stream whose result was read first", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", config);
    await stream.result;
    const read = await Promise.all(teeTokens(stream).map(readAll));
    expect(read).toMatchObject([{ length: 20 }, { length: 20 }]);
  });

  it.each([
    [0, {}],
    [1.5, {}],
    [2, { limit: 0 }],
    [2, { limit: Number.NaN }],
  ])("refuses %d branches with %o", (count, options) => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", config);
    expect(() => teeTokens(stream, count, options)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });
});
