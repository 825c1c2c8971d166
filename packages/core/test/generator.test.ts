import { getEventListeners } from "node:events";
import {
  createGenerator,
  isStreamgaugeError,
  type StopReason,
  type StreamToken,
  type TokenSource,
} from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

const config = { maxTokens: 10, logprobs: true };

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => error,
  );
}

async function collect(tokens: AsyncIterable<StreamToken>): Promise<StreamToken[]> {
  const collected: StreamToken[] = [];
  for await (const token of tokens) collected.push(token);
  return collected;
}

describe("the three modes", () => {
  it("yield the same result", async () => {
    const generator = createGenerator(createScriptedBackend());
    const whole = await generator.generate("go", config);
    const streamed = await generator.generateStream("go", () => undefined, config);
    const stream = generator.generateStreamAsync("go", config);
    await collect(stream);
    expect(streamed).toEqual(whole);
    expect(await stream.result).toEqual(whole);
    expect(whole).toMatchObject({
      ids: Array.from({ length: 10 }, (_, index) => index * 3),
      text: "<0><1><2><3><4><5><6><7><8><9>",
      finishReason: "length",
      usage: { promptTokens: 1, completionTokens: 10 },
    });
    expect(whole.logprobs).toHaveLength(10);
  });

  it("deliver the same tokens in order", async () => {
    const generator = createGenerator(createScriptedBackend());
    const called: StreamToken[] = [];
    await generator.generateStream("go", (token) => void called.push(token), config);
    const iterated = await collect(generator.generateStreamAsync("go", config));
    const expected = Array.from({ length: 10 }, (_, index) => scriptedToken(index));
    expect(called).toEqual(expected);
    expect(iterated).toEqual(expected);
  });

  it.each<[string, string, object, string]>([
    ["an unknown option", "go", { maxTokenz: 1 }, "INVALID_CONFIG"],
    ["an empty prompt", "", {}, "INVALID_PROMPT"],
  ])("reject %s alike", async (_, prompt, wrong, code) => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const stream = generator.generateStreamAsync(prompt, wrong);
    const errors = [
      await rejection(generator.generate(prompt, wrong)),
      await rejection(generator.generateStream(prompt, () => undefined, wrong)),
      await rejection(collect(stream)),
      await rejection(stream.result),
    ];
    for (const error of errors) expect(isStreamgaugeError(error) && error.code).toBe(code);
    expect(backend.made).toBe(0);
  });

  it("reject an engine's failure with what was delivered before it", async () => {
    const generator = createGenerator(createScriptedBackend({ failAt: 3 }));
    const stream = generator.generateStreamAsync("go", config);
    const errors = [
      await rejection(generator.generate("go", config)),
      await rejection(generator.generateStream("go", () => undefined, config)),
      await rejection(collect(stream)),
      await rejection(stream.result),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({
        code: "ENGINE_FAILED",
        message: "the engine broke",
        partial: { ids: [0, 3, 6], text: "<0><1><2>" },
      });
    }
  });

  it("end with the tokens so far when the signal is aborted", async () => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const controller = new AbortController();
    const result = await generator.generateStream(
      "go",
      (token) => {
        if (token.index === 2) controller.abort();
      },
      { ...config, signal: controller.signal },
    );
    expect(result).toMatchObject({ ids: [0, 3, 6], finishReason: "aborted" });
    expect(backend.ended).toBe(1);
  });

  it("end with the tokens so far when their deadline is over", async () => {
    const late = { maxTokens: 1_000_000, deadlineMilliseconds: 5 };
    const generator = createGenerator(createScriptedBackend());
    const stream = generator.generateStreamAsync("go", late);
    const results = [
      await generator.generate("go", late),
      await generator.generateStream("go", () => undefined, late),
      await stream.result,
    ];
    for (const { finishReason } of results) expect(finishReason).toBe("deadline");
  });

  it("make nothing when the signal was aborted before", async () => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const aborted = { ...config, signal: AbortSignal.abort() };
    const stream = generator.generateStreamAsync("go", aborted);
    for (const result of [
      await generator.generate("go", aborted),
      await generator.generateStream("go", () => undefined, aborted),
      await stream.result,
    ]) {
      expect(result).toMatchObject({ ids: [], text: "", finishReason: "aborted" });
    }
    // Not even begun: whoever takes the call could be faster than whoever stops it.
    expect({ made: backend.made, ended: backend.ended }).toEqual({ made: 0, ended: 0 });
  });
});

describe("generateStream", () => {
  it("stops when the callback returns false, and keeps that token", async () => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const result = await generator.generateStream("go", ({ index }) => index < 4, config);
    expect(result).toMatchObject({ ids: [0, 3, 6, 9, 12], finishReason: "cancelled" });
    expect(backend.ended).toBe(1);
  });

  it("waits for a callback that returns a promise", async () => {
    const generator = createGenerator(createScriptedBackend());
    let running = 0;
    let most = 0;
    await generator.generateStream(
      "go",
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
      config,
    );
    expect(most).toBe(1);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no thanks"))],
    [
      "throws",
      () => {
        throw new Error("no thanks");
      },
    ],
  ])("ends the generation when the callback %s", async (_, onToken) => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const error = await rejection(generator.generateStream("go", onToken, config));
    expect(error).toMatchObject({
      code: "CALLBACK_FAILED",
      cause: new Error("no thanks"),
      partial: { ids: [0] },
    });
    expect(backend.ended).toBe(1);
  });

  it("refuses a callback that is not a function", async () => {
    const generator = createGenerator(createScriptedBackend());
    const error = await rejection(generator.generateStream("go", undefined as never));
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("leaves turns of the event loop to others while tokens are plentiful", async () => {
    const generator = createGenerator({
      ...createScriptedBackend(),
      stream: () => plentifulSource(1000),
    });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await generator.generateStream("go", () => undefined);
    clearImmediate(immediate);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

describe("a consumer that never waits", () => {
  // As many as one turn may deliver: with nothing but their number to end it, all of them come.
  const tokens = 200;
  const hurried = { deadlineMilliseconds: 5 };

  function work(): void {
    for (const until = performance.now() + 2; performance.now() < until;);
  }

  it("is told of its deadline by the callback's stream", async () => {
    const generator = createGenerator({
      ...createScriptedBackend(),
      stream: () => plentifulSource(tokens),
    });
    expect(await generator.generateStream("go", work, hurried)).toMatchObject({
      finishReason: "deadline",
    });
  });

  it("is told of its deadline by the loop", async () => {
    const generator = createGenerator({
      ...createScriptedBackend(),
      stream: () => plentifulSource(tokens),
    });
    const stream = generator.generateStreamAsync("go", hurried);
    for await (const _ of stream) work();
    expect(await stream.result).toMatchObject({ finishReason: "deadline" });
  });
});

describe("stopping a call whose producer has ended", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("ends the result of a stream that nobody reads on", async () => {
    const backend = createScriptedBackend();
    const generator = createGenerator(backend);
    const stream = generator.generateStreamAsync("go", { maxTokens: 3 });
    await stream[Symbol.asyncIterator]().next();
    while (backend.ended === 0) await turn();
    generator.stopAll("closed");
    expect(await stream.result).toMatchObject({ finishReason: "closed", ids: [0] });
  });

  it("leaves one alone that was read to its end, and leaves nothing on its signal", async () => {
    const { signal } = new AbortController();
    const generator = createGenerator(createScriptedBackend());
    const stream = generator.generateStreamAsync("go", { maxTokens: 3, signal });
    await collect(stream);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    generator.stopAll("closed");
    expect(await stream.result).toMatchObject({ finishReason: "length", ids: [0, 3, 6] });
  });

  it("does not change a result that was read first", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", {
      maxTokens: 3,
      signal,
    });
    const result = await stream.result;
    controller.abort();
    expect(await collect(stream)).toHaveLength(3);
    expect(result).toMatchObject({ finishReason: "length", ids: [0, 3, 6] });
  });

  it("keeps the token that the last callback took, and not the next", async () => {
    const backend = createScriptedBackend();
    const controller = new AbortController();
    const result = await createGenerator(backend).generateStream(
      "go",
      async () => {
        while (backend.ended === 0) await turn();
        controller.abort();
      },
      { maxTokens: 3, signal: controller.signal },
    );
    expect(result).toMatchObject({ finishReason: "aborted", ids: [0] });
  });

  it("settles the result of a wrong call whose iterator was only left", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", {
      maxTokens: 0,
    });
    await stream[Symbol.asyncIterator]().return();
    expect(await rejection(stream.result)).toMatchObject({ code: "INVALID_CONFIG" });
  });
});

describe("generateStreamAsync", () => {
  it("stops when the loop is left early", async () => {
    const backend = createScriptedBackend();
    const stream = createGenerator(backend).generateStreamAsync("go", config);
    for await (const token of stream) if (token.index === 1) break;
    expect(await stream.result).toMatchObject({ ids: [0, 3], finishReason: "cancelled" });
    expect(backend.ended).toBe(1);
  });

  it("stops when the body of the loop throws", async () => {
    const backend = createScriptedBackend();
    const stream = createGenerator(backend).generateStreamAsync("go", config);
    const loop = async (): Promise<void> => {
      for await (const _ of stream) throw new Error("enough");
    };
    expect(await rejection(loop())).toEqual(new Error("enough"));
    expect(await stream.result).toMatchObject({ ids: [0], finishReason: "cancelled" });
  });

  it("settles its result without being iterated, and keeps the tokens", async () => {
    const stream = createGenerator(createScriptedBackend({ capacity: 2 })).generateStreamAsync(
      "go",
      config,
    );
    const result = await stream.result;
    expect(result.ids).toHaveLength(10);
    const tokens = await collect(stream);
    expect(tokens.map(({ id }) => id)).toEqual(result.ids);
  });

  it("gives overlapping next() calls consecutive tokens", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", config);
    const iterator = stream[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: 12 }, () => iterator.next()));
    expect(steps.map(({ done, value }) => (done ? "end" : value?.index))).toEqual([
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      "end",
      "end",
    ]);
  });

  it("can be left while a token is awaited", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", config);
    const iterator = stream[Symbol.asyncIterator]();
    const pending = iterator.next();
    await iterator.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await stream.result).toMatchObject({ finishReason: "cancelled", ids: [] });
  });

  it("settles the result of a stream that is stopped while nobody reads", async () => {
    const controller = new AbortController();
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", {
      ...config,
      signal: controller.signal,
    });
    await stream[Symbol.asyncIterator]().next();
    controller.abort();
    expect(await stream.result).toMatchObject({ finishReason: "aborted", ids: [0] });
  });

  it("refuses a second iteration", async () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go", config);
    await collect(stream);
    expect(await rejection(collect(stream))).toMatchObject({ code: "STREAM_CONSUMED" });
  });

  it("makes the producer wait for a consumer that does not read", async () => {
    const backend = createScriptedBackend({ capacity: 2 });
    const stream = createGenerator(backend).generateStreamAsync("go", config);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    // One read, two in the queue, one made and waiting for room.
    expect(backend.made).toBe(4);
    await iterator.return?.();
  });
});

/** A source that always has the next token. */
function plentifulSource(tokens: number): TokenSource {
  let index = 0;
  let stopReason: StopReason | undefined;
  const hasNext = (): boolean => stopReason === undefined && index < tokens;
  return {
    poll: () => (hasNext() ? scriptedToken(index++) : undefined),
    wait: () => Promise.resolve(hasNext()),
    stop: (reason) => {
      stopReason ??= reason;
    },
    get stopReason() {
      return stopReason;
    },
    finished: Promise.resolve({
      finishReason: "length" as const,
      promptTokens: 1,
      timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
    }),
  };
}
