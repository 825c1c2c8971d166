import { setImmediate as nextTurn } from "node:timers/promises";
import type { StreamToken } from "@streamgauge/core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  RingProducer,
  createRing,
  resolveRingOptions,
  type RingConsumer,
  type RingOptions,
} from "../src/ring/index.js";
import { consumerAsleepWord } from "../src/ring/layout.js";
import { plainToken } from "../../core/test/plain-token.js";

// Once: the clock of a thread that dozes outlives a test.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => void vi.runAllTimers());
afterAll(() => void vi.useRealTimers());

/** A token that was made at this moment. */
function token(index: number, producedAtMilliseconds: number | undefined): StreamToken {
  return plainToken(index, { producedAtMilliseconds });
}

/** Both ends of a ring on one thread, and a consumer that waits whenever it has read everything. */
class Stream {
  readonly consumer: RingConsumer;
  readonly producer: RingProducer;
  readonly header: Int32Array;
  readonly wakeUps: number[] = [];
  /** Tokens that the consumer has read. */
  read = 0;
  over = false;
  #made = 0;

  constructor(options: RingOptions) {
    const onWakeUp = (wakeUp: number): void => void this.wakeUps.push(wakeUp);
    const { consumer, memory } = createRing(resolveRingOptions(options), 0, undefined, onWakeUp);
    this.consumer = consumer;
    this.producer = new RingProducer(memory);
    this.header = new Int32Array(memory.buffer);
    this.producer.begin();
    void this.#consume();
  }

  /** Makes a token now, and gives the consumer every chance to learn of it. */
  async push(producedAtMilliseconds: number | undefined = performance.now()): Promise<void> {
    const hadRoom = this.producer.push(token(this.#made++, producedAtMilliseconds));
    if (!hadRoom) throw new Error("The ring is full.");
    await turns();
  }

  async #consume(): Promise<void> {
    while (await this.consumer.wait()) while (this.consumer.poll() !== undefined) this.read += 1;
    this.over = true;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

async function pass(milliseconds: number): Promise<void> {
  vi.advanceTimersByTime(milliseconds);
  await turns();
}

/** A stream whose consumer has read two tokens that came fast, and has just begun to doze. */
async function openDozing(options: RingOptions): Promise<Stream> {
  const stream = new Stream(options);
  await stream.push();
  expect(stream.read).toBe(1);
  await pass(1);
  await stream.push();
  await pass(3);
  expect(stream.read).toBe(2);
  return stream;
}

describe.each(["waitAsync", "message"] as const)("a consumer that waits with %s", (wait) => {
  const fast = { wait, maxDelayMilliseconds: 4 };

  it("is told of the first token at once, and of the others when the time is over", async () => {
    const stream = new Stream(fast);
    await stream.push();
    for (let period = 0; period < 3; period++) {
      for (let index = 0; index < 3; index++) {
        await pass(1);
        await stream.push();
      }
      expect(stream.read).toBe(1 + 3 * period);
      await pass(1);
      expect(stream.read).toBe(4 + 3 * period);
    }
    expect(stream.wakeUps).toHaveLength(4);
    stream.consumer.stop("cancelled");
  });

  it("is told of every token at once when they are slow, or the longest delay is 0", async () => {
    const slow = new Stream(fast);
    const each = new Stream({ wait, maxDelayMilliseconds: 0 });
    const timeless = new Stream(fast);
    for (let index = 1; index <= 5; index++) {
      await pass(4);
      await slow.push();
      await each.push();
      await timeless.push(Number.NaN);
      for (const { read } of [slow, each, timeless]) expect(read).toBe(index);
    }
    expect(vi.getTimerCount()).toBe(0);
    for (const { consumer } of [slow, each, timeless]) consumer.stop("cancelled");
  });

  it("is told of the first token after a pause at once", async () => {
    const stream = await openDozing(fast);
    await pass(4);
    expect(vi.getTimerCount()).toBe(0);
    await pass(100);
    await stream.push();
    expect(stream.read).toBe(3);
    // A pause does not make the model slow, and two of them do.
    await stream.push();
    expect(stream.read).toBe(3);
    await pass(4);
    expect(stream.read).toBe(4);
    for (let slow = 1; slow <= 3; slow++) {
      await pass(100);
      await stream.push();
      expect(stream.read).toBe(4 + slow);
    }
    await stream.push();
    expect(stream.read).toBe(8);
    await stream.push();
    expect(stream.read).toBe(8);
    stream.consumer.stop("cancelled");
  });

  it.each([
    [1, 1],
    [2, 1],
    [4, 2],
    [8, 4],
    [64, 32],
  ])(
    "of a ring of %i is told at once of %i tokens, which fill half of it",
    async (capacity, half) => {
      const stream = await openDozing({ ...fast, capacity });
      for (let round = 1; round <= 3; round++) {
        for (let index = 1; index <= half; index++) {
          expect(stream.read).toBe(2 + (round - 1) * half);
          await stream.push();
        }
        expect(stream.read).toBe(2 + round * half);
      }
      stream.consumer.stop("cancelled");
    },
  );

  it("is told at once of the end, a failure, a stop and the loss of the producer", async () => {
    const ends: readonly ((stream: Stream) => void)[] = [
      ({ producer }) => producer.end(),
      ({ producer }) => producer.end("failed"),
      ({ consumer }) => consumer.stop("aborted"),
      ({ consumer }) => consumer.declareLost(),
    ];
    for (const end of ends) {
      const stream = await openDozing(fast);
      await stream.push();
      expect(stream.over).toBe(false);
      end(stream);
      await turns();
      expect(stream.over).toBe(true);
      expect(stream.read).toBe(stream.consumer.stopReason === undefined ? 3 : 2);
      // An engine would keep the memory of a ring on which somebody waits.
      expect(Atomics.notify(stream.header, consumerAsleepWord)).toBe(0);
    }
  });

  it("is told together with all others of its thread, by one timer", async () => {
    const streams = Array.from({ length: 16 }, () => new Stream(fast));
    for (const stream of streams) await stream.push();
    for (const { wakeUps } of streams) wakeUps.length = 0;
    for (let period = 1; period <= 5; period++) {
      for (const stream of streams) await stream.push();
      expect(vi.getTimerCount()).toBe(1);
      await pass(2);
      for (const stream of streams) await stream.push();
      await pass(2);
      for (const { read } of streams) expect(read).toBe(1 + 2 * period);
      expect(new Set(streams.flatMap(({ wakeUps }) => wakeUps)).size).toBe(period);
    }
    for (const { consumer } of streams) consumer.stop("closed");
  });

  it("dozes on where the clock ticks soon after it began, and no token came yet", async () => {
    const first = await openDozing(fast);
    await pass(3);
    await first.push();
    // It begins to doze a millisecond before the clock ticks.
    const second = new Stream(fast);
    await second.push();
    await pass(1);
    expect([first.read, second.read]).toEqual([3, 1]);
    await pass(1);
    await second.push();
    expect(second.read).toBe(1);
    await pass(3);
    expect(second.read).toBe(2);
    for (const { consumer } of [first, second]) consumer.stop("closed");
  });

  it("gives room back, and takes all that it was not told of, when it falls behind", async () => {
    const { consumer, producer, header } = new Stream({ ...fast, capacity: 4 });
    for (let index = 0; index < 40; index++) {
      const next = token(index, index / 8);
      while (!producer.push(next)) await producer.writable();
    }
    producer.end();
    await turns();
    expect(await consumer.wait()).toBe(false);
    expect(consumer.ending).toBe("complete");
    expect(Atomics.notify(header, consumerAsleepWord)).toBe(0);
  });
});
