// What every way to consume a generation has to do, as one table. Core runs it over
// a scripted producer, runtime over a worker behind a small ring.
import { getEventListeners } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import {
  isStreamgaugeError,
  toServerSentEvents,
  teeTokens,
  toByteStream,
  toNodeReadable,
  toReadableStream,
  toTextStream,
  type ErrorCode,
  type GenerationConfig,
  type GenerationResult,
  type Generator,
  type StreamToken,
  type TokenStream,
} from "@streamgauge/core";
import { createParser } from "eventsource-parser";
import { describe, expect, it } from "vitest";

/** Takes one piece of text; true to go on, false to leave. What it throws is the consumer's. */
type Consumer = (piece: string) => Promise<boolean>;

/** An adapter and the idiom it is consumed in. */
export interface ConsumerRow {
  readonly name: string;
  /**
   * Tokens that the idiom may have taken and not handed over when it is left.
   * Default 0. Node's `pipeTo()` reads once more after its signal was aborted. More than
   * one: a piece has several, and its rest is handed over also after a stop from outside.
   */
  readonly inHand?: number;
  /**
   * Consumes a generation. `done` settles when the adapter is over for its
   * consumer, and after leaving when it says that the producer has stopped.
   */
  consume(
    generator: Generator,
    config: GenerationConfig,
    consumer: Consumer,
  ): { readonly done: Promise<unknown>; readonly result: Promise<GenerationResult> };
}

/** A generator whose tokens are "number and one more character", and what can be done to it. */
export interface ConformanceHarness extends AsyncDisposable {
  readonly generator: Generator;
  /** Tokens between producer and consumer at most. */
  readonly capacity: number;
  /** Gives the producer time to run ahead as far as it can. */
  idle(): Promise<void>;
  /** Resolves when every producer has ended, also where its tokens are not read yet. */
  untilMade(): Promise<void>;
  /** Generations that have begun and are not over; undefined where nobody can know. */
  running(): number | undefined;
  /** Closes the generator while it generates. */
  close(): Promise<void>;
}

/** A generator that fails with `code` under `config` after it made so many tokens. */
export interface FailingHarness extends ConformanceHarness {
  readonly failure: {
    readonly config: GenerationConfig;
    readonly tokens: number;
    readonly code: ErrorCode;
  };
}

/** A row for an adapter that returns something to iterate with `for await`. */
export function loopRow<T>(
  name: string,
  adapt: (stream: TokenStream) => AsyncIterable<T>,
  textOf: (chunk: T) => string,
): ConsumerRow {
  return {
    name,
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const adapted = adapt(stream);
      const closed = adapted instanceof Readable ? whenClosed(adapted) : undefined;
      const loop = async (): Promise<void> => {
        try {
          for await (const chunk of adapted) if (!(await consumer(textOf(chunk)))) break;
        } finally {
          // A loop over a Node stream destroys it and does not wait for that.
          await closed;
        }
      };
      return { done: loop(), result: stream.result };
    },
  };
}

/** A row for a web stream that is piped; it is left by the pipe's signal. */
export function pipeRow<T>(
  name: string,
  adapt: (stream: TokenStream) => ReadableStream<T>,
  textOf: (chunk: T) => string,
): ConsumerRow {
  return {
    name,
    inHand: 1,
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const leave = new AbortController();
      const sink = new WritableStream<T>({
        async write(chunk) {
          if (!(await consumer(textOf(chunk)))) leave.abort();
        },
      });
      const piped = adapt(stream).pipeTo(sink, { signal: leave.signal });
      const done = piped.catch((error: unknown) => {
        if (!leave.signal.aborted) throw error;
      });
      return { done, result: stream.result };
    },
  };
}

const decoder = new TextDecoder();
const decode = (bytes: Uint8Array): string => decoder.decode(bytes);
const textOfToken = ({ text }: StreamToken): string => text;
const asItIs = (text: string): string => text;
const onlyBranch = (stream: TokenStream): TokenStream => {
  const [kept, left] = teeTokens(stream);
  void left[Symbol.asyncIterator]().return();
  return kept;
};

export const consumerRows: readonly ConsumerRow[] = [
  {
    name: "callback",
    consume(generator, config, consumer) {
      const result = generator.generateStream("go", ({ text }) => consumer(text), config);
      return { done: result, result };
    },
  },
  loopRow("async iterable", (stream) => stream, textOfToken),
  {
    name: "async iterable, by next() and return()",
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const steps = stream[Symbol.asyncIterator]();
      const done = readSteps(
        () => steps.next(),
        () => steps.return(),
        textOfToken,
        consumer,
      );
      return { done, result: stream.result };
    },
  },
  loopRow("web stream of tokens, in a loop", toReadableStream, textOfToken),
  pipeRow("web stream of tokens, piped", toReadableStream, textOfToken),
  {
    name: "web stream of tokens, by read() and cancel()",
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const reader = toReadableStream(stream).getReader();
      const done = readSteps(
        () => reader.read(),
        () => reader.cancel(),
        textOfToken,
        consumer,
      );
      return { done, result: stream.result };
    },
  },
  loopRow("web stream of text, in a loop", toTextStream, asItIs),
  pipeRow("web stream of text, piped", toTextStream, asItIs),
  loopRow("web stream of bytes, in a loop", toByteStream, decode),
  pipeRow("web stream of bytes, piped", toByteStream, decode),
  loopRow("web stream of bytes, by a BYOB reader", (s) => readIntoBuffers(toByteStream(s)), decode),
  loopRow("Node stream of tokens, in a loop", readTokens, textOfToken),
  {
    name: "Node stream of tokens, by its events and destroy()",
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      return { done: readByEvents(toNodeReadable(stream), consumer), result: stream.result };
    },
  },
  loopRow("Node stream of text, in a loop", (s) => toNodeReadable(s, { as: "text" }), String),
  {
    name: "Node stream of bytes, in a pipeline",
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const readable = toNodeReadable(stream, { as: "bytes" });
      const leave = new AbortController();
      const sink = new Writable({
        highWaterMark: 1,
        write(chunk: Buffer, _encoding, callback) {
          consumer(chunk.toString()).then((goOn) => {
            if (!goOn) leave.abort();
            callback();
          }, callback);
        },
      });
      const closed = whenClosed(readable);
      const run = async (): Promise<void> => {
        try {
          await pipeline(readable, sink, { signal: leave.signal });
        } catch (error) {
          if (!leave.signal.aborted) throw error;
        } finally {
          await closed;
        }
      };
      return { done: run(), result: stream.result };
    },
  },
  // A write has what was there at once, and a reader may leave in the middle of it.
  { ...loopRow("server-sent events, in a loop", readCompletionEvents, asItIs), inHand: 256 },
  {
    name: "server-sent events, piped",
    inHand: 256,
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const textsOf = completionTexts(stream);
      const leave = new AbortController();
      const sink = new WritableStream<Uint8Array>({
        async write(bytes) {
          for await (const text of textsOf(bytes)) {
            if (await consumer(text)) continue;
            leave.abort();
            return;
          }
        },
      });
      const piped = toServerSentEvents(stream, completion).pipeTo(sink, { signal: leave.signal });
      const done = piped.catch((error: unknown) => {
        if (!leave.signal.aborted) throw error;
      });
      return { done, result: stream.result };
    },
  },
  loopRow("branch of a tee", onlyBranch, textOfToken),
  loopRow("web stream over a branch of a tee", (s) => toReadableStream(onlyBranch(s)), textOfToken),
  {
    name: "both branches of a tee",
    consume(generator, config, consumer) {
      const stream = generator.generateStreamAsync("go", config);
      const [read, alongside] = teeTokens(stream);
      const steps = [read, alongside].map((branch) => branch[Symbol.asyncIterator]());
      const next = async (): Promise<IteratorResult<StreamToken, undefined>> => {
        const [first, second] = await Promise.all(steps.map((step) => step.next()));
        // One that is stopped from outside can be stopped a token earlier.
        if (first?.done !== true && second?.done !== true) expect(second).toEqual(first);
        return first ?? expect.fail("there are two");
      };
      const leave = () => Promise.all(steps.map((step) => step.return()));
      const done = readSteps(next, leave, textOfToken, consumer);
      const results = Promise.all([stream.result, read.result, alongside.result]);
      const result = results.then(([whole, ...branches]) => {
        for (const { finishReason } of branches) expect(finishReason).toBe(whole.finishReason);
        return whole;
      });
      return { done, result };
    },
  },
];

/** Reads step by step; leaves when the consumer wants no more or throws. */
async function readSteps<T>(
  next: () => Promise<{ readonly done?: boolean; readonly value?: T | undefined }>,
  leave: () => Promise<unknown>,
  textOf: (chunk: T) => string,
  consumer: Consumer,
): Promise<void> {
  for (;;) {
    const { done, value } = await next();
    if (done === true || value === undefined) return;
    let goesOn = false;
    try {
      goesOn = await consumer(textOf(value));
    } finally {
      if (!goesOn) await leave();
    }
    if (!goesOn) return;
  }
}

function readByEvents(readable: Readable, consumer: Consumer): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    readable.on("data", ({ text }: StreamToken) => {
      readable.pause();
      consumer(text).then(
        (goesOn) => (goesOn ? readable.resume() : readable.destroy()),
        (error: unknown) => readable.destroy(error as Error),
      );
    });
    readable.once("error", (error) => {
      failure = error;
    });
    readable.once("close", () => {
      if (failure === undefined) resolve();
      else reject(failure);
    });
  });
}

const completion = { endpoint: "completions", id: "1", model: "m", createdSeconds: 0 } as const;

async function* readCompletionEvents(stream: TokenStream): AsyncGenerator<string> {
  const textsOf = completionTexts(stream);
  for await (const bytes of toServerSentEvents(stream, completion)) yield* textsOf(bytes);
}

/** The text of each event; where the events end in a failure, the one that the result has. */
function completionTexts(stream: TokenStream): (bytes: Uint8Array) => AsyncGenerator<string> {
  const data: string[] = [];
  const parser = createParser({ onEvent: (event) => void data.push(event.data) });
  return async function* (bytes) {
    parser.feed(decode(bytes));
    for (const payload of data.splice(0)) {
      if (payload === "[DONE]") continue;
      const { choices, error } = JSON.parse(payload) as {
        choices?: { text: string }[];
        error?: { code: string };
      };
      if (error !== undefined) {
        const failure = await rejection(stream.result);
        expect(failure).toMatchObject({ code: error.code });
        throw failure;
      }
      const text = choices?.[0]?.text ?? "";
      if (text !== "") yield text;
    }
  };
}

function readTokens(stream: TokenStream): AsyncIterable<StreamToken> {
  return toNodeReadable(stream) as AsyncIterable<StreamToken>;
}

function whenClosed(readable: Readable): Promise<void> {
  return new Promise((resolve) => {
    readable.once("close", resolve);
  });
}

async function* readIntoBuffers(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(64));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** Says what every row has to do over one kind of generator. */
export function describeConformance(
  producer: string,
  rows: readonly ConsumerRow[],
  open: () => Promise<ConformanceHarness>,
  openFailing: () => Promise<FailingHarness>,
): void {
  describe.each(rows.map((row) => [row.name, row] as const))(`${producer}: %s`, (_, row) => {
    it("delivers every token in order, and ends", async () => {
      await using harness = await open();
      const config = { maxTokens: 30 };
      const expected = await harness.generator.generate("go", config);
      const run = start(row, harness, config);
      await run.done;
      expect(run.delivered()).toEqual(numbers(30));
      expect(await run.result).toEqual({ ...expected, timings: expect.anything() as unknown });
      await expectFree(harness);
    });

    it("passes a failure on, with what came before it", async () => {
      await using harness = await openFailing();
      const { config, tokens, code } = harness.failure;
      const run = start(row, harness, config);
      for (const error of [await rejection(run.done), await rejection(run.result)]) {
        expect(isStreamgaugeError(error, code)).toBe(true);
        expect(error).toMatchObject({ partial: { text: expect.any(String) as unknown } });
        const { partial } = error as { partial: { ids: number[]; text: string } };
        expect(numbersIn(partial.text)).toEqual(numbers(tokens));
        expect(partial.ids).toHaveLength(tokens);
      }
      expect(run.delivered()).toEqual(numbers(tokens));
      await expectFree(harness);
    });

    it("ends with the tokens so far when its signal is aborted", async () => {
      await using harness = await open();
      const controller = new AbortController();
      const config = { ...endless, signal: controller.signal };
      const run = start(row, harness, config, (count) => {
        if (count === deliveredMeanwhile) controller.abort();
      });
      await run.done;
      const { finishReason } = await expectStopped(harness, run, certainlyDelivered(run));
      expect(finishReason).toBe("aborted");
    });

    it("ends with the tokens so far when its deadline is over", async () => {
      await using harness = await open();
      const run = start(row, harness, { ...endless, deadlineMilliseconds: 20 });
      await run.done;
      const { finishReason } = await expectStopped(harness, run);
      expect(finishReason).toBe("deadline");
    });

    it("stops the producer when it is left early", async () => {
      await using harness = await open();
      const run = start(row, harness, endless, (count) => count < 5);
      await run.done;
      const { finishReason, usage } = await expectStopped(harness, run, 5);
      expect(finishReason).toBe("cancelled");
      expect((usage.producedTokens ?? Infinity) - 5).toBeLessThanOrEqual(harness.capacity + 1);
    });

    it("stops the producer when its consumer throws", async () => {
      await using harness = await open();
      const thrown = new Error("no thanks");
      const run = start(row, harness, endless, (count) => {
        if (count === 5) throw thrown;
      });
      const error = await rejection(run.done);
      if (isStreamgaugeError(error, "CALLBACK_FAILED")) {
        expect(error.cause).toBe(thrown);
        expect(error.partial?.ids).toHaveLength(5);
      } else {
        expect(error).toBe(thrown);
        const { finishReason } = await expectStopped(harness, run, 5);
        expect(finishReason).toBe("cancelled");
      }
      await expectFree(harness);
    });

    it("makes the producer wait for a slow consumer, and loses nothing", async () => {
      await using harness = await open();
      const lazy = start(row, harness, endless, async (count) => {
        await harness.idle();
        return count < 4;
      });
      await lazy.done;
      const { finishReason, usage, ids } = await expectStopped(harness, lazy, 4);
      expect(finishReason).toBe("cancelled");
      const ahead = (usage.producedTokens ?? Infinity) - ids.length;
      expect(ahead).toBeLessThanOrEqual(harness.capacity + 2);
      const slow = start(row, harness, { maxTokens: 24 }, () => harness.idle());
      await slow.done;
      expect(slow.delivered()).toEqual(numbers(24));
      expect(await slow.result).toMatchObject({ finishReason: "length" });
    });

    it("ends with the tokens so far when its generator is closed", async () => {
      await using harness = await open();
      let closed: Promise<void> | undefined;
      const run = start(row, harness, endless, (count) => {
        if (count === 5) closed = harness.close();
      });
      await run.done;
      await closed;
      expect(await run.result).toMatchObject({ finishReason: "closed" });
      expect(run.delivered()).toEqual(numbers(run.delivered().length));
    });
  });
}

/** Tokens that are delivered while the producer comes to its end. */
const deliveredMeanwhile = 5;

/**
 * Tokens of a producer that ends while so many are delivered; the others wait for a
 * reader. A ring gives room back when half of it is read.
 */
export function tokensToTheEnd(capacity: number): number {
  return deliveredMeanwhile + Math.min(Math.ceil(capacity / 2), 8);
}

/** A way in which a producer fails before its tokens are read. */
export interface LateFailure {
  readonly by: string;
  readonly open: () => Promise<FailingHarness>;
  /** Set where it takes long: then its consumers only leave. */
  readonly isSlow?: boolean;
}

/** Says the same where the producer is done already and its tokens are not yet read. */
export function describeProducerDone(
  producer: string,
  rows: readonly ConsumerRow[],
  open: () => Promise<ConformanceHarness>,
  failures: readonly LateFailure[],
): void {
  /** Consumes until the producer has ended, and then decides. */
  function startLate(
    row: ConsumerRow,
    harness: ConformanceHarness,
    config: GenerationConfig,
    decide: () => Decision,
  ): Run {
    return start(row, harness, config, async (count) => {
      if (count < deliveredMeanwhile) return true;
      await harness.untilMade();
      return await decide();
    });
  }

  describe.each(rows.map((row) => [row.name, row] as const))(
    `${producer} that is done already: %s`,
    (_, row) => {
      it("gives the rest to a consumer that goes on", async () => {
        await using harness = await open();
        const maxTokens = tokensToTheEnd(harness.capacity);
        const run = startLate(row, harness, { maxTokens }, () => true);
        await run.done;
        expect(run.delivered()).toEqual(numbers(maxTokens));
        expect(await run.result).toMatchObject({ finishReason: "length" });
        await expectFree(harness);
      });

      it("ends as cancelled when it is left", async () => {
        await using harness = await open();
        const maxTokens = tokensToTheEnd(harness.capacity);
        const run = startLate(row, harness, { maxTokens }, () => false);
        await run.done;
        const { finishReason, usage } = await expectStopped(harness, run, deliveredMeanwhile);
        expect(finishReason).toBe("cancelled");
        expect(usage.producedTokens).toBe(maxTokens);
      });

      it("ends as cancelled when its consumer throws", async () => {
        await using harness = await open();
        const thrown = new Error("no thanks");
        const run = startLate(row, harness, { maxTokens: tokensToTheEnd(harness.capacity) }, () => {
          throw thrown;
        });
        const error = await rejection(run.done);
        if (isStreamgaugeError(error, "CALLBACK_FAILED")) {
          expect(error.cause).toBe(thrown);
          expect(error.partial?.ids).toHaveLength(deliveredMeanwhile);
        } else {
          expect(error).toBe(thrown);
          const { finishReason } = await expectStopped(harness, run, deliveredMeanwhile);
          expect(finishReason).toBe("cancelled");
        }
      });

      it("ends as aborted when its signal is aborted", async () => {
        await using harness = await open();
        const controller = new AbortController();
        const maxTokens = tokensToTheEnd(harness.capacity);
        const run = startLate(row, harness, { maxTokens, signal: controller.signal }, () =>
          controller.abort(),
        );
        await run.done;
        const { finishReason } = await expectStopped(harness, run, certainlyDelivered(run));
        expect(finishReason).toBe("aborted");
        expect(getEventListeners(controller.signal, "abort")).toEqual([]);
      });

      it("ends when its deadline is over", async () => {
        await using harness = await open();
        const deadlineMilliseconds = 40;
        const maxTokens = tokensToTheEnd(harness.capacity);
        const config = { maxTokens, deadlineMilliseconds };
        // Timers of one duration fire in the order in which they were made.
        const run = startLate(row, harness, config, () => delay(deadlineMilliseconds));
        await run.done;
        const { finishReason } = await expectStopped(harness, run);
        expect(finishReason).toBe("deadline");
      });

      it("ends as closed when its generator is closed", async () => {
        await using harness = await open();
        const maxTokens = tokensToTheEnd(harness.capacity);
        const run = startLate(row, harness, { maxTokens }, () => harness.close());
        await run.done;
        const { finishReason, ids } = await run.result;
        expect(finishReason).toBe("closed");
        const delivered = run.delivered();
        expect(delivered).toEqual(numbers(certainlyDelivered(run) ?? delivered.length));
        expect(ids.length - delivered.length).toBeLessThanOrEqual(run.inHand);
      });

      describe.each(failures)("and failed, by $by", ({ open: openFailing, isSlow = false }) => {
        const ways: readonly [string, (controller: AbortController) => boolean][] = [
          ["is left", () => false],
          ["is left by a throw", () => expect.fail("no thanks")],
          [
            "is aborted",
            (controller) => {
              controller.abort();
              return true;
            },
          ],
          ["goes on", () => true],
        ];
        it.each(isSlow ? ways.slice(0, 1) : ways)(
          "says so in the result when it %s",
          async (_way, decide) => {
            await using harness = await openFailing();
            const { config, code, tokens } = harness.failure;
            const controller = new AbortController();
            const run = startLate(row, harness, { ...config, signal: controller.signal }, () =>
              decide(controller),
            );
            await run.done.catch(() => undefined);
            const error = await rejection(run.result);
            if (isStreamgaugeError(error, "CALLBACK_FAILED")) return;
            expect(isStreamgaugeError(error, code)).toBe(true);
            const taken = (error as { partial?: { ids: readonly number[] } }).partial?.ids.length;
            const delivered = run.delivered().length;
            expect((taken ?? Infinity) - delivered).toBeLessThanOrEqual(run.inHand);
            const certain = certainlyDelivered(run) ?? delivered;
            expect([certain, tokens]).toContain(delivered);
            await expectFree(harness);
          },
        );
      });
    },
  );
}

const endless: GenerationConfig = { maxTokens: 1_000_000 };

type Decision = boolean | void | Promise<boolean | void>;

interface Run {
  readonly done: Promise<unknown>;
  readonly result: Promise<GenerationResult>;
  /** The numbers of the tokens that reached the consumer. */
  delivered(): number[];
  readonly inHand: number;
}

/** @param decide asked after each delivery, with the count of tokens; false to leave */
function start(
  row: ConsumerRow,
  { generator }: ConformanceHarness,
  config: GenerationConfig,
  decide: (count: number) => Decision = () => true,
): Run {
  let text = "";
  const { done, result } = row.consume(generator, config, async (piece) => {
    text += piece;
    return (await decide(numbersIn(text).length)) !== false;
  });
  result.catch(() => undefined);
  done.catch(() => undefined);
  return { done, result, delivered: () => numbersIn(text), inHand: row.inHand ?? 0 };
}

/**
 * Tokens that are certainly delivered when somebody else stops: undefined where pieces have
 * several tokens, because the rest of a piece still comes.
 */
function certainlyDelivered({ inHand }: Run): number | undefined {
  return inHand > 1 ? undefined : deliveredMeanwhile;
}

/** @param tokens how many must have been delivered, where that is certain */
async function expectStopped(
  harness: ConformanceHarness,
  run: Run,
  tokens?: number,
): Promise<GenerationResult> {
  // Before anything else has a turn: over means that the producer has stopped.
  expect(harness.running() ?? 0).toBe(0);
  const result = await run.result;
  const delivered = run.delivered();
  expect(delivered).toEqual(numbers(tokens ?? delivered.length));
  const taken = numbersIn(result.text);
  expect(taken).toEqual(numbers(taken.length));
  expect(result.ids).toHaveLength(taken.length);
  expect(taken.length - delivered.length).toBeGreaterThanOrEqual(0);
  expect(taken.length - delivered.length).toBeLessThanOrEqual(run.inHand);
  await expectFree(harness);
  return result;
}

/** The one producer is free when it can run something to its end. */
async function expectFree({ generator }: ConformanceHarness): Promise<void> {
  const { text } = await generator.generate("again", { maxTokens: 3 });
  expect(numbersIn(text)).toEqual([0, 1, 2]);
}

function numbers(count: number): number[] {
  return [...Array(count).keys()];
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(Number);
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => error,
  );
}
