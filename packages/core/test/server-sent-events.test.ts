import {
  completionUsage,
  createGenerator,
  createTokenQueue,
  formatServerSentEvent,
  isStreamgaugeError,
  toServerSentEvents,
  type CompletionEventOptions,
  type FinishReason,
  type GenerationSummary,
  type TokenSource,
  type TokenStream,
} from "@streamgauge/core";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

const options: CompletionEventOptions = {
  endpoint: "chat",
  id: "chatcmpl-1",
  model: "counter",
  createdSeconds: 1_851,
};

const noTimings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };

function parse(wire: string): { events: EventSourceMessage[]; comments: string[] } {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (event) => void events.push(event),
    onComment: (comment) => void comments.push(comment),
    onError: (error) => expect.fail(error.message),
  });
  parser.feed(wire);
  return { events, comments };
}

/** Each piece of the stream, decoded on its own: a split character would not survive. */
async function readPieces(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string[]> {
  const pieces: string[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(new TextDecoder("utf-8", { fatal: true }).decode(value));
  }
}

interface Chunk {
  readonly id: string;
  readonly object: string;
  readonly choices: readonly {
    readonly delta?: { readonly role?: string; readonly content?: string };
    readonly text?: string;
    readonly finish_reason: string | null;
    readonly native_finish_reason?: string;
  }[];
  readonly usage?: unknown;
  readonly error?: unknown;
}

/** The payloads of a stream; the text of `[DONE]` as it is. */
async function readPayloads(
  stream: TokenStream,
  overrides: Partial<CompletionEventOptions> = {},
): Promise<(Chunk | string)[]> {
  const events = toServerSentEvents(stream, { ...options, ...overrides });
  const wire = (await readPieces(events.getReader())).join("");
  return parse(wire).events.map(({ event, data }) => {
    expect(event).toBeUndefined();
    return data === "[DONE]" ? data : (JSON.parse(data) as Chunk);
  });
}

function textOf(payloads: readonly (Chunk | string)[]): string {
  return payloads
    .flatMap((payload) => (typeof payload === "string" ? [] : payload.choices))
    .map(({ delta, text }) => delta?.content ?? text ?? "")
    .join("");
}

/** A generator whose tokens and end are given. */
function generatorOf(texts: readonly string[], finishReason: FinishReason = "eos") {
  const summary: GenerationSummary = { finishReason, promptTokens: 3, timings: noTimings };
  return createGenerator({
    collect: () => expect.fail("is not streamed"),
    stream: () =>
      createTokenQueue(async (sink) => {
        for (const [index, text] of texts.entries()) sink.push({ ...scriptedToken(index), text });
        return summary;
      }, Infinity).source,
  });
}

describe("formatServerSentEvent", () => {
  it("writes every field on lines of its own", () => {
    const wire = formatServerSentEvent({ comment: "c", event: "e", id: "7", data: "a\nb" });
    expect(wire).toBe(": c\nevent: e\nid: 7\ndata: a\ndata: b\n\n");
    expect(formatServerSentEvent({ data: "" })).toBe("data: \n\n");
  });

  it("gives back any text, with LF for each line end", () => {
    const hostile = fc.array(
      fc.constantFrom(
        "\r",
        "\n",
        "\r\n",
        "data:",
        "event: x",
        ":",
        " ",
        "\u2028",
        "\uFEFF",
        "a",
        "🐋",
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, (data, comment) => {
        const text = data.join("");
        const wire = formatServerSentEvent({ data: text, comment: comment.join("") });
        const { events } = parse(wire);
        expect(events).toEqual([
          { data: text.replaceAll(/\r\n?/g, "\n"), event: undefined, id: undefined },
        ]);
      }),
    );
  });

  it.each([{ event: "a\nb" }, { event: "a\rdata: x" }, { id: "1\r\n2" }, { id: "1\0" }])(
    "refuses a field that would begin another: %j",
    (fields) => {
      expect(() => formatServerSentEvent({ ...fields, data: "" })).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION" }) as Error,
      );
    },
  );
});

describe("toServerSentEvents", () => {
  it("sends a chat's chunks, its usage and the end", async () => {
    const generator = createGenerator(createScriptedBackend());
    const payloads = await readPayloads(generator.generateStreamAsync("go", { maxTokens: 2 }), {
      includeUsage: true,
    });
    const common = {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1_851,
      model: "counter",
    };
    const choice = { index: 0, logprobs: null, finish_reason: null };
    expect(payloads).toEqual([
      {
        ...common,
        choices: [{ ...choice, delta: { role: "assistant", content: "<0>" } }],
        usage: null,
      },
      { ...common, choices: [{ ...choice, delta: { content: "<1>" } }], usage: null },
      {
        ...common,
        choices: [
          { ...choice, delta: {}, finish_reason: "length", native_finish_reason: "length" },
        ],
        usage: null,
      },
      {
        ...common,
        choices: [],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      },
      "[DONE]",
    ]);
  });

  it("says how much of the prompt was in a cache, where the generator knows", () => {
    const usage = { promptTokens: 9, completionTokens: 2 };
    expect(completionUsage(usage)).not.toHaveProperty("prompt_tokens_details");
    expect(completionUsage({ ...usage, cachedTokens: 0 })).toEqual({
      prompt_tokens: 9,
      completion_tokens: 2,
      total_tokens: 11,
      prompt_tokens_details: { cached_tokens: 0 },
    });
  });

  it("sends completions as text, without usage unless asked", async () => {
    const payloads = await readPayloads(
      generatorOf(["Call me ", "Ishmael."]).generateStreamAsync("go"),
      {
        endpoint: "completions",
      },
    );
    expect(payloads.at(-1)).toBe("[DONE]");
    const chunks = payloads.slice(0, -1) as Chunk[];
    expect(chunks.map(({ object }) => object)).toEqual(Array(3).fill("text_completion"));
    expect(chunks.map(({ choices }) => choices[0]?.text)).toEqual(["Call me ", "Ishmael.", ""]);
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
  });

  it.each<[FinishReason, string]>([
    ["eos", "stop"],
    ["stop", "stop"],
    ["length", "length"],
    ["context", "length"],
    ["deadline", "length"],
    ["closed", "length"],
  ])("says %s as %s, and the native reason beside it", async (native, said) => {
    const payloads = await readPayloads(generatorOf(["a"], native).generateStreamAsync("go"));
    expect((payloads.at(-2) as Chunk).choices[0]).toMatchObject({
      finish_reason: said,
      native_finish_reason: native,
    });
  });

  it("carries any text, whole events in a piece: all that is there at once", async () => {
    const texts = [
      "data: [DONE]\n\n",
      "\r",
      "\nevent: error\r\n",
      "\u2028\u2029\u0085",
      "\ud83d",
      "\udc0b",
      "🐋\0",
      "",
      ": x",
      '"}],',
    ];
    const events = toServerSentEvents(generatorOf(texts).generateStreamAsync("go"), options);
    const pieces = await readPieces(events.getReader());
    // The last piece has the finish reason and the end.
    expect(pieces).toHaveLength(2);
    // The empty text has no chunk, and the whale's two halves have one.
    const chunk = String.raw`data: \{[^\r\n\u0085\u2028\u2029]*\}\n\n`;
    expect(pieces[0]).toMatch(new RegExp(`^(${chunk}){${texts.length - 2}}$`));
    const { events: messages } = parse(pieces.join(""));
    const payloads = messages.slice(0, -1).map(({ data }) => JSON.parse(data) as Chunk);
    expect(textOf(payloads)).toBe(texts.join(""));
  });

  it("gives every client whole characters, whatever the pieces", async () => {
    const contents = async (...texts: string[]): Promise<unknown[]> => {
      const payloads = await readPayloads(generatorOf(texts).generateStreamAsync("go"));
      return payloads.slice(0, -2).map((payload) => (payload as Chunk).choices[0]?.delta?.content);
    };
    expect(await contents("a\ud83d", "\udc0b", "b")).toEqual(["a", "🐋", "b"]);
    expect(await contents("\udc0b", "a\ud83d", "b")).toEqual(["\ufffd", "a", "\ufffdb"]);
    expect(await contents("a", "\ud83d")).toEqual(["a", "\ufffd"]);
  });

  it("turns a failure in the middle into an error event, and ends without [DONE]", async () => {
    const generator = createGenerator(createScriptedBackend({ failAt: 2 }));
    const payloads = await readPayloads(generator.generateStreamAsync("go", { maxTokens: 9 }));
    expect(textOf(payloads.slice(0, 2))).toBe("<0><1>");
    expect(payloads.slice(2)).toEqual([
      {
        error: {
          message: "the engine broke",
          type: "server_error",
          param: null,
          code: "ENGINE_FAILED",
        },
      },
    ]);
  });

  it.each<[string, object, string]>([
    ["a wrong option", { maxTokens: 0 }, "INVALID_CONFIG"],
    ["an engine that fails at once", {}, "ENGINE_FAILED"],
  ])("rejects the first read where nothing was sent: %s", async (_, config, code) => {
    const generator = createGenerator(createScriptedBackend({ failAt: 0 }));
    const events = toServerSentEvents(generator.generateStreamAsync("go", config), options);
    const error = await events
      .getReader()
      .read()
      .then(
        () => expect.fail("should have been rejected"),
        (reason: unknown) => reason,
      );
    expect(isStreamgaugeError(error) && error.code).toBe(code);
  });

  it("ends an aborted generation like any other, with its tokens so far", async () => {
    const abort = new AbortController();
    const generator = createGenerator(createScriptedBackend());
    const stream = generator.generateStreamAsync("go", { maxTokens: 100, signal: abort.signal });
    const reader = toServerSentEvents(stream, options).getReader();
    const first = await reader.read();
    expect(
      textOf(
        parse(new TextDecoder().decode(first.value)).events.map(
          ({ data }) => JSON.parse(data) as Chunk,
        ),
      ),
    ).toBe("<0>");
    abort.abort();
    const rest = parse((await readPieces(reader)).join("")).events;
    expect(rest.at(-1)?.data).toBe("[DONE]");
    expect((JSON.parse(rest.at(-2)?.data ?? "") as Chunk).choices[0]).toMatchObject({
      finish_reason: "length",
      native_finish_reason: "aborted",
    });
  });

  it("stops the generation when it is cancelled, and resolves when it has ended", async () => {
    const backend = createScriptedBackend({ capacity: 1 });
    const stream = createGenerator(backend).generateStreamAsync("go", { maxTokens: 1_000 });
    const reader = toServerSentEvents(stream, options).getReader();
    await reader.read();
    await reader.cancel();
    expect(backend.ended).toBe(1);
    expect(backend.made).toBeLessThan(10);
    expect(await stream.result).toMatchObject({ finishReason: "cancelled", ids: [0] });
  });

  it("is cancelled while a read waits", async () => {
    const backend = createScriptedBackend();
    const stream = createGenerator(backend).generateStreamAsync("go", { maxTokens: 1_000 });
    const reader = toServerSentEvents(stream, options).getReader();
    const waiting = reader.read();
    await reader.cancel();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(backend.ended).toBe(1);
    expect((await stream.result).finishReason).toBe("cancelled");
  });

  it("cancels a generation that fails while it stops", async () => {
    let stopped!: () => void;
    const failing = createGenerator({
      collect: () => expect.fail("is not streamed"),
      stream: () => {
        const { source } = createTokenQueue(
          () =>
            new Promise((_, reject) => {
              stopped = () => reject(new Error("broke while it stopped"));
            }),
          1,
        );
        return new Proxy(source, {
          get(target, key) {
            const value: unknown = Reflect.get(target, key, target);
            if (typeof value !== "function") return value;
            return (...args: unknown[]): unknown => {
              if (key === "stop") stopped();
              return value.apply(target, args);
            };
          },
        }) satisfies TokenSource;
      },
    });
    const stream = failing.generateStreamAsync("go");
    await expect(toServerSentEvents(stream, options).cancel()).resolves.toBeUndefined();
    await expect(stream.result).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  it("takes nothing that is not read: the producer waits", async () => {
    const backend = createScriptedBackend({ capacity: 2 });
    const stream = createGenerator(backend).generateStreamAsync("go", { maxTokens: 50 });
    const reader = toServerSentEvents(stream, options).getReader();
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    await turns();
    // Two wait in the queue, and the producer holds a third.
    expect(backend.made).toBe(3);
    await reader.read();
    await turns();
    // It took those two and the third, which had come into their place.
    expect(backend.made).toBe(6);
    const { events } = parse((await readPieces(reader)).join(""));
    expect(events).toHaveLength(50 - 3 + 2);
    expect(backend.made).toBe(50);
  });

  it("sends comments while the reader waits, and loses no token to them", async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const summary: GenerationSummary = { finishReason: "eos", promptTokens: 1, timings: noTimings };
    const generator = createGenerator({
      collect: () => expect.fail("is not streamed"),
      stream: () =>
        createTokenQueue(async (sink) => {
          await released;
          for (let index = 0; index < 3; index++) sink.push(scriptedToken(index));
          return summary;
        }, 4).source,
    });
    const stream = generator.generateStreamAsync("go");
    const reader = toServerSentEvents(stream, {
      ...options,
      heartbeatMilliseconds: 1,
    }).getReader();
    let wire = "";
    for (let beats = 0; beats < 3; beats++) {
      const { value } = await reader.read();
      wire += new TextDecoder().decode(value);
    }
    expect(parse(wire)).toEqual({ events: [], comments: ["waiting", "waiting", "waiting"] });
    release();
    const { events } = parse((await readPieces(reader)).join(""));
    expect(events.at(-1)?.data).toBe("[DONE]");
    expect(textOf(events.slice(0, -1).map(({ data }) => JSON.parse(data) as Chunk))).toBe(
      "<0><1><2>",
    );
  });
});
