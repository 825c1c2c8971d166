import type { GenerationConfig, Generator } from "@streamgauge/core";
import { createInlineGenerator, createRuntime, pacedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";

const endless = { maxTokens: 1_000_000 };
const model = pacedModel({ stepMicroseconds: 20 });
const hosts = {
  "a worker": (maxQueue?: number) =>
    createRuntime({ model, ...(maxQueue === undefined ? {} : { maxQueue }) }),
  "the calling thread": (maxQueue?: number) =>
    createInlineGenerator({ model, ...(maxQueue === undefined ? {} : { maxQueue }) }),
};

/** Keeps the one engine busy until it is let go. */
async function occupy(generator: Generator): Promise<() => Promise<void>> {
  const iterator = generator.generateStreamAsync([0], endless)[Symbol.asyncIterator]();
  await iterator.next();
  return async () => void (await iterator.return?.());
}

describe.each(Object.entries(hosts))("calls that wait for %s", (_, open) => {
  it("take turns between clients", async () => {
    await using generator = await open();
    const letGo = await occupy(generator);
    const order: string[] = [];
    const call = async (name: string): Promise<void> => {
      await generator.generate([1], { maxTokens: 2, clientId: name.charAt(0) });
      order.push(name);
    };
    const calls = ["a1", "a2", "a3", "b1", "b2", "c1"].map(call);
    await letGo();
    await Promise.all(calls);
    expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  });

  it("are at most as many as may wait", async () => {
    await using generator = await open(2);
    const letGo = await occupy(generator);
    const full = {
      code: "QUEUE_FULL",
      message: expect.stringContaining("maxQueue, which is 2") as string,
    };
    const waiting = [1, 2].map((id) => generator.generate([id], { maxTokens: 2 }));
    await expect(generator.generate([3])).rejects.toMatchObject(full);
    await expect(generator.generateStream([3], () => undefined)).rejects.toMatchObject(full);
    await expect(generator.generateStreamAsync([3]).result).rejects.toMatchObject(full);
    await letGo();
    expect((await Promise.all(waiting)).map(({ ids }) => ids)).toEqual([
      [2, 3],
      [3, 4],
    ]);
  });

  it("may be none, while one after the other is never turned away", async () => {
    await using generator = await open(0);
    for (let call = 0; call < 20; call++) {
      expect((await generator.generate([call], { maxTokens: 1 })).ids).toEqual([call + 1]);
    }
    const letGo = await occupy(generator);
    await expect(generator.generate([1])).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await letGo();
  });

  it("end at once when they are stopped, and give their place back", async () => {
    await using generator = await open(1);
    const letGo = await occupy(generator);
    const wait = (config: GenerationConfig) => [
      () => generator.generate([1], { ...endless, ...config }),
      () => generator.generateStream([1], () => undefined, { ...endless, ...config }),
      () => generator.generateStreamAsync([1], { ...endless, ...config }).result,
    ];
    const controller = new AbortController();
    for (const call of wait({ deadlineMilliseconds: 1 })) {
      expect(await call()).toMatchObject({ finishReason: "deadline", ids: [] });
    }
    for (const call of wait({ signal: controller.signal })) {
      const result = call();
      setImmediate(() => controller.abort());
      expect(await result).toMatchObject({
        finishReason: "aborted",
        ids: [],
        usage: { promptTokens: 0, completionTokens: 0 },
      });
    }
    await letGo();
    expect((await generator.generate([1], { maxTokens: 1 })).ids).toEqual([2]);
  });

  it("end as closed when the generator is closed, and so does what runs", async () => {
    const generator = await open();
    const stream = generator.generateStreamAsync([0], endless);
    await stream[Symbol.asyncIterator]().next();
    const waiting = generator.generate([1], endless);
    await generator.close();
    expect((await waiting).finishReason).toBe("closed");
    expect(await stream.result).toMatchObject({ finishReason: "closed", ids: [1] });
  });
});

it("a running generation ends at its deadline with what it has", async () => {
  await using runtime = await createRuntime({ model });
  const result = await runtime.generate([0], { ...endless, deadlineMilliseconds: 30 });
  expect(result.finishReason).toBe("deadline");
  expect(result.ids).toEqual(result.ids.map((_, index) => (index + 1) % 1000));
});

it.each([
  [{ maxQueue: -1 }, /maxQueue is -1; .* ≥ 0, or Infinity/],
  [{ maxQueue: 1.5 }, /maxQueue is 1.5/],
  [{ maxHeapMegabytes: 0 }, /maxHeapMegabytes is 0/],
  [{ observers: [{}] }, /generationEnded/],
])("%o is refused", async (options, message) => {
  const wrong = options as Parameters<typeof createRuntime>[0];
  await expect(createRuntime({ model, ...wrong })).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringMatching(message) as string,
  });
});
