import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  createGenerator,
  createTokenQueue,
  teeTokens,
  toByteStream,
  toNodeReadable,
  toReadableStream,
  type Generator,
  type TokenStream,
} from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const endless = { maxTokens: 1_000_000 };

/** Collects and lets finalizers and the producer run, so often that one pass too few cannot matter. */
async function collect(isOver: () => boolean = () => false): Promise<void> {
  for (let pass = 0; pass < 20 && !isOver(); pass++) {
    collectGarbage();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function readOne(iterable: AsyncIterable<unknown>): Promise<void> {
  await iterable[Symbol.asyncIterator]().next();
}

/** What is done with a stream before it is dropped. Nothing of it is left on the caller's stack. */
const ways: [string, (stream: TokenStream) => unknown][] = [
  ["not touched", () => undefined],
  ["iterated and not finished", (stream) => readOne(stream)],
  ["with an iterator that was not used", (stream) => void stream[Symbol.asyncIterator]()],
  ["as a web stream that nobody reads", (stream) => void toReadableStream(stream)],
  ["as a web stream in the middle", async (stream) => await readOne(toByteStream(stream))],
  ["as a Node stream that nobody reads", (stream) => void toNodeReadable(stream)],
  ["as a Node stream in the middle", (stream) => readOne(toNodeReadable(stream))],
  ["as branches of a tee", (stream) => void teeTokens(stream, 3)],
  [
    "as branches of a tee, one of them in the middle",
    async (stream) => void (await Promise.all(teeTokens(stream).slice(1).map(readOne))),
  ],
];

describe("a stream that is dropped", () => {
  it.each(ways)("stops its producer: %s", async (_, drop) => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    await drop(generator.generateStreamAsync("go", endless));
    await collect(() => backend.ended === 1);
    expect(backend).toMatchObject({ begun: 1, ended: 1 });
  });

  it("resolves a result that was read after iterating began", async () => {
    const backend = createScriptedBackend();
    const resultOf = async (generator: Generator) => {
      const stream = generator.generateStreamAsync("go", endless);
      await readOne(stream);
      return { result: stream.result };
    };
    const { result } = await resultOf(createGenerator(backend));
    await collect(() => backend.ended === 1);
    expect(await result).toMatchObject({ finishReason: "cancelled", ids: [0] });
  });

  it("resolves its result also when its producer is done already", async () => {
    const backend = createScriptedBackend();
    const { signal } = new AbortController();
    const resultOf = async (generator: Generator) => {
      const stream = generator.generateStreamAsync("go", { maxTokens: 3, signal });
      await readOne(stream);
      return { result: stream.result };
    };
    const { result } = await resultOf(createGenerator(backend));
    while (backend.ended === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await collect(() => getEventListeners(signal, "abort").length === 0);
    expect(await result).toMatchObject({ finishReason: "cancelled", ids: [0] });
  });

  it("frees the branch of a tee that waits for it", async () => {
    const generator = createGenerator(createScriptedBackend());
    const firstOf = (stream: TokenStream) => teeTokens(stream, 2, { limit: 2 }).slice(0, 1);
    const [branch] = firstOf(generator.generateStreamAsync("go", { maxTokens: 20 }));
    let read = 0;
    const loop = async (): Promise<void> => {
      for await (const _ of branch ?? []) read += 1;
    };
    const reading = loop();
    await collect(() => read === 20);
    await reading;
    expect(read).toBe(20);
  });
});

describe("a stream that somebody can read", () => {
  it("is left alone while its handle is held", async () => {
    const generator = createGenerator(createScriptedBackend());
    const config = { maxTokens: 9 };
    const stream = generator.generateStreamAsync("go", config);
    const iterator = generator.generateStreamAsync("go", config)[Symbol.asyncIterator]();
    await iterator.next();
    const web = toReadableStream(generator.generateStreamAsync("go", config)).getReader();
    const node = toNodeReadable(generator.generateStreamAsync("go", config));
    const branches = teeTokens(generator.generateStreamAsync("go", config));
    await collect();
    const counts = [0, 1, 0, 0, 0, 0];
    for await (const _ of stream) counts[0]! += 1;
    for await (const _ of iterator) counts[1]! += 1;
    while (!(await web.read()).done) counts[2]! += 1;
    for await (const _ of node) counts[3]! += 1;
    await Promise.all(
      branches.map(async (branch, position) => {
        for await (const _ of branch) counts[4 + position]! += 1;
      }),
    );
    expect(counts).toEqual([9, 9, 9, 9, 9, 9]);
  });

  it("is left alone while a step is awaited and nothing else is held", async () => {
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
    const slow = createGenerator({
      ...createScriptedBackend(),
      stream: () =>
        createTokenQueue(async (sink) => {
          await held;
          sink.push(scriptedToken(0));
          return { finishReason: "length", promptTokens: 1, timings };
        }, 4).source,
    });
    const stepOf = () => slow.generateStreamAsync("go")[Symbol.asyncIterator]().next();
    const step = stepOf();
    await collect();
    letGo();
    expect(await step).toMatchObject({ done: false, value: { index: 0 } });
  });

  it("goes on while only its result is awaited", async () => {
    const generator = createGenerator(createScriptedBackend());
    const resultOf = () => generator.generateStreamAsync("go", { maxTokens: 60 }).result;
    const result = resultOf();
    await collect();
    expect(await result).toMatchObject({
      finishReason: "length",
      usage: { completionTokens: 60 },
    });
  });
});
