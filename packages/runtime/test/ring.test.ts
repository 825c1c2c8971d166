import { Worker } from "node:worker_threads";
import type { StreamToken } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import {
  RingProducer,
  createRing,
  createStateOnlyRing,
  plantCanaries,
  resolveRingOptions,
  ringBytes,
  type RingConsumer,
} from "../src/ring/index.js";

const capacities = [1, 2, 4, 8];

function token(index: number, text = `t${index}`): StreamToken {
  return {
    index,
    id: index * 7,
    text,
    endOfSequence: index % 5 === 4,
    logprob: index % 2 === 0 ? -index / 3 : undefined,
    producedAtMilliseconds: index + 0.5,
  };
}

function openRing(capacity: number, publishBatch = 1) {
  const { consumer, memory } = createRing(resolveRingOptions({ capacity, publishBatch }));
  return { consumer, producer: new RingProducer(memory) };
}

function pollAll(consumer: RingConsumer): StreamToken[] {
  const tokens: StreamToken[] = [];
  for (let next = consumer.poll(); next !== undefined; next = consumer.poll()) tokens.push(next);
  return tokens;
}

describe("a ring", () => {
  it("carries texts longer than a slot, and than the whole ring", async () => {
    const texts = ["", "x".repeat(16), "y".repeat(17), "🐋 whale ".repeat(100)];
    for (const capacity of capacities) {
      const { consumer, producer } = openRing(capacity);
      const received: StreamToken[] = [];
      const produce = async (): Promise<void> => {
        for (const [index, text] of texts.entries()) {
          const next = token(index, text);
          while (!producer.push(next)) await producer.writable();
        }
        producer.end();
      };
      const produced = produce();
      while (await consumer.wait()) received.push(...pollAll(consumer));
      await produced;
      expect(received).toEqual(texts.map((text, index) => token(index, text)));
    }
  });

  it("carries any number of top log-probabilities behind any text", async () => {
    const values = [0, -0.5, -Number.MIN_VALUE, -1e300, -Infinity, -Math.PI];
    for (const capacity of capacities) {
      const { consumer, producer } = openRing(capacity);
      const sent = [1, 2, 3, 20, 255].map((count, index) => ({
        ...token(index, "🐋".repeat(index * 5)),
        topLogprobs: Array.from({ length: count }, (_, rank) => ({
          id: rank === 0 ? 2 ** 31 - 1 : rank * 65_537,
          logprob: values[rank % values.length]!,
        })),
      }));
      const received: StreamToken[] = [];
      const produce = async (): Promise<void> => {
        for (const next of sent) while (!producer.push(next)) await producer.writable();
        producer.end();
      };
      const produced = produce();
      while (await consumer.wait()) received.push(...pollAll(consumer));
      await produced;
      expect(received).toEqual(sent);
    }
  });

  it("refuses more top log-probabilities than a slot can count", () => {
    const { producer } = openRing(8);
    const topLogprobs = Array.from({ length: 256 }, (_, id) => ({ id, logprob: -1 }));
    expect(() => producer.push({ ...token(0), topLogprobs })).toThrow(/256 topLogprobs.*255/);
  });

  it("publishes the first token at once, the others in batches, and the rest at the end", () => {
    const { consumer, producer } = openRing(16, 4);
    const visible: number[] = [];
    for (let index = 0; index < 11; index++) {
      producer.push(token(index));
      visible.push(pollAll(consumer).length);
    }
    producer.end();
    visible.push(pollAll(consumer).length);
    expect(visible).toEqual([1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 2]);
  });

  it("publishes what it holds back before it waits for room", async () => {
    const { consumer, producer } = openRing(4, 4);
    let pushed = 0;
    while (producer.push(token(pushed))) pushed += 1;
    expect(pushed).toBe(4);
    expect(pollAll(consumer)).toHaveLength(4);
    await producer.writable();
    expect(producer.push(token(4))).toBe(true);
  });

  it("wakes a sleeping consumer for a token and for the end", async () => {
    const { consumer, producer } = openRing(4);
    const first = consumer.wait();
    producer.push(token(0));
    expect(await first).toBe(true);
    expect(pollAll(consumer)).toEqual([token(0)]);
    const second = consumer.wait();
    producer.end();
    expect(await second).toBe(false);
  });

  it("still gives what was published before the end", async () => {
    const { consumer, producer } = openRing(4);
    producer.push(token(0));
    producer.push(token(1));
    producer.end();
    expect(await consumer.wait()).toBe(true);
    expect(pollAll(consumer)).toHaveLength(2);
    expect(await consumer.wait()).toBe(false);
  });

  it("tells a producer that waits for room why the consumer stopped", async () => {
    const { consumer, producer } = openRing(1);
    producer.push(token(0));
    expect(producer.push(token(1))).toBe(false);
    const writable = producer.writable();
    consumer.stop("aborted");
    await writable;
    expect(producer.stopReason).toBe("aborted");
    expect(consumer.poll()).toBeUndefined();
    expect(await consumer.wait()).toBe(false);
    consumer.stop("closed");
    expect(consumer.stopReason).toBe("aborted");
  });

  it("is either claimed by the producer or withdrawn by the consumer", () => {
    const claimed = createStateOnlyRing();
    expect(new RingProducer(claimed.memory).begin()).toBe(true);
    expect(claimed.consumer.withdraw()).toBe(false);
    const withdrawn = createStateOnlyRing();
    expect(withdrawn.consumer.withdraw()).toBe(true);
    expect(new RingProducer(withdrawn.memory).begin()).toBe(false);
  });

  it("ends for the consumer when somebody declares a dead producer lost", async () => {
    for (const claimed of [false, true]) {
      const { consumer, producer } = openRing(4);
      if (claimed) producer.begin();
      const waiting = consumer.wait();
      expect(consumer.ending).toBeUndefined();
      consumer.declareLost();
      expect(await waiting).toBe(false);
      expect(consumer.ending).toBe("lost");
      expect(producer.begin()).toBe(false);
    }
  });

  it("still gives what was published before its producer was lost", async () => {
    const { consumer, producer } = openRing(4);
    producer.push(token(0));
    consumer.declareLost();
    expect(await consumer.wait()).toBe(true);
    expect(pollAll(consumer)).toEqual([token(0)]);
    expect(await consumer.wait()).toBe(false);
  });

  it.each(["complete", "failed"] as const)("tells that its producer ended as %s", (how) => {
    const { consumer, producer } = openRing(4);
    producer.begin();
    expect(consumer.ending).toBeUndefined();
    producer.end(how);
    consumer.declareLost();
    expect(consumer.ending).toBe(how);
  });

  it("tells that it was withdrawn", () => {
    const { consumer } = openRing(4);
    consumer.withdraw();
    consumer.declareLost();
    expect(consumer.ending).toBe("withdrawn");
  });

  it("puts the producer's time stamps on the consumer's clock", () => {
    const { consumer, memory } = createRing(resolveRingOptions({ capacity: 2 }), 1000);
    new RingProducer(memory).push(token(3));
    expect(consumer.poll()?.producedAtMilliseconds).toBe(1003.5);
  });
});

describe("a ring between two threads", () => {
  it.each(capacities)("loses, doubles and reorders nothing (capacity %i)", async (capacity) => {
    const count = 20_000;
    const { consumer, memory } = createRing(resolveRingOptions({ capacity }));
    const worker = new Worker(new URL("./ring-producer.worker.mjs", import.meta.url), {
      workerData: { memory, count },
    });
    let next = 0;
    let wrong = 0;
    while (await consumer.wait()) {
      for (let got = consumer.poll(); got !== undefined; got = consumer.poll()) {
        if (got.index !== next || got.id !== next * 7 || got.text !== `t${next}`) wrong += 1;
        next += 1;
      }
    }
    await worker.terminate();
    expect({ next, wrong }).toEqual({ next: count, wrong: 0 });
  });
});

describe("resolveRingOptions", () => {
  it("has defaults", () => {
    expect(resolveRingOptions()).toEqual({
      capacity: 256,
      publishBatch: 1,
      ledger: false,
      wait: "waitAsync",
      spinMicroseconds: 0,
      maxDelayMilliseconds: 4,
    });
  });

  it("takes what it returned", () => {
    for (const options of [
      {},
      { maxDelayMilliseconds: 0 },
      { wait: "block", spinMicroseconds: 1000 } as const,
    ]) {
      const resolved = resolveRingOptions(options);
      expect(resolveRingOptions(resolved)).toEqual(resolved);
    }
  });

  it("wakes a consumer that spins for each token", () => {
    const { maxDelayMilliseconds } = resolveRingOptions({ wait: "block", spinMicroseconds: 5 });
    expect(maxDelayMilliseconds).toBe(0);
  });

  it.each([
    [{ capacity: 0 }, /ring.capacity is 0/],
    [{ capacity: 3 }, /power of two/],
    [{ capacity: Number.NaN }, /ring.capacity is NaN/],
    [{ capacity: 131_072 }, /65536/],
    [{ capacity: 4, publishBatch: 5 }, /publishBatch is 5.*capacity, 4/],
    [{ publishBatch: 0 }, /publishBatch is 0/],
    [{ ledger: 1 }, /ring.ledger is 1; it must be true or false/],
    [{ wait: "spin" }, /ring.wait is "spin"; it must be one of waitAsync, message, block/],
    [{ wait: "block", spinMicroseconds: 1001 }, /spinMicroseconds is 1001.* 0 to 1000/],
    [{ wait: "block", spinMicroseconds: -1 }, /spinMicroseconds is -1/],
    [{ wait: "block", spinMicroseconds: Number.NaN }, /spinMicroseconds is NaN/],
    [{ spinMicroseconds: 5 }, /spinMicroseconds is 5, but with ring.wait "waitAsync"/],
    [{ maxDelayMilliseconds: -1 }, /maxDelayMilliseconds is -1.* 0 to 1000/],
    [{ maxDelayMilliseconds: 2.5 }, /maxDelayMilliseconds is 2.5; it must be an integer/],
    [{ maxDelayMilliseconds: 1001 }, /maxDelayMilliseconds is 1001/],
    [{ maxDelayMilliseconds: "4" }, /maxDelayMilliseconds is "4"/],
    [
      { wait: "block", spinMicroseconds: 5, maxDelayMilliseconds: 4 },
      /maxDelayMilliseconds is 4 and ring.spinMicroseconds is 5.*leave one of the two out/,
    ],
    [{ size: 4 }, /Unknown ring option "size"/],
  ])("rejects %o", (options, message) => {
    expect(() => resolveRingOptions(options as object)).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe("canaries around a ring", () => {
  it("live through everything that the ring's ends do, and die when a word beside them is written", async () => {
    for (const capacity of [0, 1, 8]) {
      const buffer = new SharedArrayBuffer(ringBytes(capacity) + 64);
      const options = { ...resolveRingOptions(), capacity };
      const { consumer, memory } = createRing(options, 0, buffer);
      const count = plantCanaries(memory);
      const producer = new RingProducer(memory);
      producer.begin();
      for (let index = 0; index < 20; index++) {
        producer.push(token(index, "🐋".repeat(8)));
        pollAll(consumer);
      }
      const waiting = consumer.wait();
      producer.end();
      await waiting;
      consumer.stop("cancelled");
      consumer.declareLost();
      // 48 words in the header, six of them used, and 16 behind the ring.
      expect(count()).toEqual({ planted: 58, dead: 0 });
      const words = new Int32Array(buffer);
      for (const word of [1, 17, 47, words.length - 1]) words[word] = 0;
      expect(count()).toEqual({ planted: 58, dead: 4 });
    }
  });
});
