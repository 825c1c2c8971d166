import { once } from "node:events";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createGenerator,
  createTokenQueue,
  toByteStream,
  toNodeReadable,
  toReadableStream,
  toTextStream,
  type Generator,
} from "@streamgauge/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

/** Spells these pieces, one token each. */
function speller(pieces: readonly string[]): Generator {
  const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
  return createGenerator({
    ...createScriptedBackend(),
    stream: () =>
      createTokenQueue(async (sink) => {
        for (const [index, text] of pieces.entries()) {
          while (!sink.push({ ...scriptedToken(index), text })) await sink.writable();
        }
        return { finishReason: "length", promptTokens: 1, timings };
      }, 4).source,
  });
}

const pieces = ["", "Ein ", "", "Walfänger", "", " 🐋", "!", ""];
const chunks = pieces.filter((piece) => piece !== "");

async function readChunks<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const chunk of stream) read.push(chunk);
  return read;
}

describe("text and bytes", () => {
  it("leave empty pieces out, and split nothing", async () => {
    const start = () => speller(pieces).generateStreamAsync("go");
    const decoder = new TextDecoder("utf-8", { fatal: true });
    expect(await readChunks(toTextStream(start()))).toEqual(chunks);
    expect((await readChunks(toByteStream(start()))).map((bytes) => decoder.decode(bytes))).toEqual(
      chunks,
    );
    expect(await readChunks(toNodeReadable(start(), { as: "text" }))).toEqual(chunks);
    expect((await readChunks(toNodeReadable(start(), { as: "bytes" }))).map(String)).toEqual(
      chunks,
    );
  });

  const adapters: [string, (generator: Generator) => AsyncIterable<string | Uint8Array>][] = [
    ["a web stream of text", (generator) => toTextStream(generator.generateStreamAsync("go"))],
    ["a web stream of bytes", (generator) => toByteStream(generator.generateStreamAsync("go"))],
    [
      "a Node stream of text",
      (generator) => toNodeReadable(generator.generateStreamAsync("go"), { as: "text" }),
    ],
    [
      "a Node stream of bytes",
      (generator) => toNodeReadable(generator.generateStreamAsync("go"), { as: "bytes" }),
    ],
  ];

  it.each(adapters)("are cut where characters end: %s", async (_, read) => {
    const texts = async (...spelt: string[]): Promise<string[]> =>
      // Buffer and TextEncoder write each half that is alone as U+FFFD.
      (await readChunks(read(speller(spelt)))).map((chunk) => Buffer.from(chunk).toString());
    expect(await texts("a\ud83d", "\udc0b", "b")).toEqual(["a", "🐋", "b"]);
    expect(await texts("\ud83d", "", "\udc0b\ud83d", "\udc0b")).toEqual(["🐋", "🐋"]);
    expect(await texts("a\ud83d", "b", "\udc0b", "c")).toEqual(["a", "\ufffdb", "\ufffd", "c"]);
    expect(await texts("a", "\ud83d")).toEqual(["a", "\ufffd"]);
    expect(await texts("\ud83d")).toEqual(["\ufffd"]);
  });

  it("agree with TextEncoderStream, however a text is cut", async () => {
    const unit = fc.constantFrom("a", "é", "\ud83d", "\udc0b", "\udfff", "\ud800");
    const piece = fc.array(unit, { maxLength: 4 }).map((units) => units.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (spelt) => {
        const encoded = ReadableStream.from(spelt).pipeThrough(new TextEncoderStream());
        const expected = Buffer.concat(await readChunks(encoded)).toString();
        for (const [, adapt] of adapters) {
          const read = await readChunks(adapt(speller(spelt)));
          expect(read.map((chunk) => Buffer.from(chunk).toString()).join("")).toBe(expected);
        }
      }),
      { numRuns: 60, seed: 1851 },
    );
  });

  it("are what a Response takes", async () => {
    const stream = speller(pieces).generateStreamAsync("go");
    expect(await new Response(toByteStream(stream)).text()).toBe(chunks.join(""));
  });

  it("fill the buffers of a BYOB reader, however small, and end it", async () => {
    const stream = speller(pieces).generateStreamAsync("go");
    const reader = toByteStream(stream).getReader({ mode: "byob" });
    const bytes: number[] = [];
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      if (done) break;
      expect(value.length).toBeLessThanOrEqual(3);
      bytes.push(...value);
    }
    expect(Buffer.from(bytes).toString()).toBe(chunks.join(""));
    expect(await stream.result).toMatchObject({ finishReason: "length" });
  });
});

describe("nothing is taken before it is asked for", () => {
  const config = { maxTokens: 50 };

  it.each([
    [
      "a web stream of tokens",
      (generator: Generator) => toReadableStream(generator.generateStreamAsync("go", config)),
    ],
    [
      "a web stream of bytes",
      (generator: Generator) => toByteStream(generator.generateStreamAsync("go", config)),
    ],
    [
      "a Node stream",
      (generator: Generator) => toNodeReadable(generator.generateStreamAsync("go", config)),
    ],
    [
      "a Node stream of text",
      (generator: Generator) =>
        toNodeReadable(generator.generateStreamAsync("go", config), { as: "text" }),
    ],
  ])("by %s", async (_, open) => {
    const backend = createScriptedBackend({ capacity: 2 });
    const iterator = open(createGenerator(backend))[
      Symbol.asyncIterator
    ]() as AsyncIterator<unknown>;
    for (let read = 0; read < 3; read++) {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      // Those read, two in the queue, one made and waiting for room.
      expect(backend.made).toBe(read + 3);
      await iterator.next();
    }
    await iterator.return?.();
    expect(backend.made).toBeLessThanOrEqual(6);
  });
});

describe("cancelling", () => {
  const endless = { maxTokens: 1_000_000 };

  it.each([
    ["return()", (stream) => stream[Symbol.asyncIterator]().return()],
    ["cancel()", (stream) => toReadableStream(stream).cancel()],
    ["cancel() of a reader", (stream) => toByteStream(stream).getReader().cancel("enough")],
    ["destroy()", (stream) => once(toNodeReadable(stream).destroy(), "close")],
  ] satisfies [
    string,
    (stream: ReturnType<Generator["generateStreamAsync"]>) => Promise<unknown>,
  ][])("by %s resolves when the producer has stopped", async (_, cancel) => {
    const backend = createScriptedBackend();
    const stream = createGenerator(backend).generateStreamAsync("go", endless);
    await new Promise((resolve) => setImmediate(resolve));
    await cancel(stream);
    expect(backend).toMatchObject({ begun: 1, ended: 1 });
    expect(await stream.result).toMatchObject({ finishReason: "cancelled" });
  });

  it("during a read ends that read", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", endless);
    const reader = toReadableStream(stream).getReader();
    const read = reader.read();
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
    const byob = toByteStream(
      createGenerator(createScriptedBackend()).generateStreamAsync("go", endless),
    ).getReader({ mode: "byob" });
    const into = byob.read(new Uint8Array(8));
    await byob.cancel();
    expect(await into).toMatchObject({ done: true });
  });

  it("does not reject when the producer fails on its way out; the result does", async () => {
    const failing = createGenerator({
      ...createScriptedBackend(),
      stream: () =>
        createTokenQueue(async (sink) => {
          while (sink.stopReason === undefined) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          throw new Error("could not stop");
        }, 4).source,
    });
    const stream = failing.generateStreamAsync("go");
    await toReadableStream(stream).cancel();
    await expect(stream.result).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: "could not stop",
      partial: { ids: [], text: "" },
    });
  });

  it("of a finished stream changes nothing", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", {
      maxTokens: 2,
    });
    const iterator = stream[Symbol.asyncIterator]();
    while (!(await iterator.next()).done);
    await iterator.return();
    expect(await stream.result).toMatchObject({ finishReason: "length", ids: [0, 3] });
  });
});

describe("a Node stream", () => {
  it("takes its error from the generation, and ends a pipeline with it", async () => {
    const stream = createGenerator(createScriptedBackend({ failAt: 2 })).generateStreamAsync("go");
    const written: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        written.push(chunk.toString());
        callback();
      },
    });
    await expect(pipeline(toNodeReadable(stream, { as: "bytes" }), sink)).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      partial: { text: "<0><1>" },
    });
    expect(written.join("")).toBe("<0><1>");
    expect(sink.destroyed).toBe(true);
  });

  it("refuses a form that it does not know, and leaves the stream unread", async () => {
    const stream = speller(["a"]).generateStreamAsync("go");
    expect(() => toNodeReadable(stream, { as: "lines" as "text" })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
    expect(await readChunks(toTextStream(stream))).toEqual(["a"]);
  });
});

it("a stream that is read already is refused by every adapter", () => {
  const stream = speller(["a"]).generateStreamAsync("go");
  toTextStream(stream);
  for (const adapt of [toReadableStream, toTextStream, toByteStream, toNodeReadable]) {
    expect(() => adapt(stream)).toThrow(expect.objectContaining({ code: "STREAM_CONSUMED" }));
  }
});
