import type { StreamToken } from "@streamgauge/core";
import { createInlineGenerator, createRuntime, pacedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { RingProducer, createRing, resolveRingOptions } from "../src/ring/index.js";
import { plainToken } from "../../core/test/plain-token.js";

/** Seven digits of a second: far above the rounding of what a token is held for. */
const roundingMilliseconds = 1e-4;

function tokenAt(
  index: number,
  producedAtMilliseconds: number | undefined,
  text = "a",
): StreamToken {
  return plainToken(index, { text, producedAtMilliseconds });
}

function openRing(options: object, clockOffsetMilliseconds = 0) {
  const { consumer, memory } = createRing(
    resolveRingOptions({ ledger: true, ...options }),
    clockOffsetMilliseconds,
  );
  return { consumer, producer: new RingProducer(memory) };
}

/** The stations of a token in their order; `deliveredAt` is the reader's own reading. */
function stations({ producedAtMilliseconds, ledger }: StreamToken, deliveredAt: number): number[] {
  return [
    producedAtMilliseconds ?? Number.NaN,
    ledger?.publishedAtMilliseconds ?? Number.NaN,
    ledger?.wokenAtMilliseconds ?? Number.NaN,
    deliveredAt,
  ];
}

function expectInOrder(times: readonly number[]): void {
  for (const [position, time] of times.entries()) {
    expect(time).toBeGreaterThanOrEqual((times[position - 1] ?? time) - roundingMilliseconds);
  }
}

describe("the ledger of a ring", () => {
  it("stamps a whole batch with one moment, and each token with its own production", () => {
    const { consumer, producer } = openRing({ capacity: 16, publishBatch: 4 });
    const before = performance.now();
    for (let index = 0; index < 5; index++) producer.push(tokenAt(index, before - 10 * index));
    const after = performance.now();
    const tokens = Array.from({ length: 5 }, () => consumer.poll());
    const published = tokens.map((token) => token?.ledger?.publishedAtMilliseconds ?? Number.NaN);
    expectInOrder([before, ...published, after]);
    const [, ...batch] = published;
    expect(Math.max(...batch) - Math.min(...batch)).toBeLessThan(roundingMilliseconds);
    // Nobody slept: the consumer could take notice at once.
    for (const token of tokens) {
      expect(token?.ledger?.wokenAtMilliseconds).toBe(token?.ledger?.publishedAtMilliseconds);
    }
  });

  it("says when a sleeping consumer woke, for all that was published until then", async () => {
    const { consumer, producer } = openRing({ capacity: 16 });
    const waiting = consumer.wait();
    for (let index = 0; index < 3; index++) producer.push(tokenAt(index, performance.now()));
    const publishedBy = performance.now();
    await waiting;
    const woken: number[] = [];
    for (let token = consumer.poll(); token !== undefined; token = consumer.poll()) {
      woken.push(token.ledger?.wokenAtMilliseconds ?? Number.NaN);
    }
    expect(woken).toHaveLength(3);
    expect(new Set(woken).size).toBe(1);
    expectInOrder([publishedBy, ...woken, performance.now()]);
    // The next one is published while the consumer is awake.
    producer.push(tokenAt(3, performance.now()));
    const { ledger } = consumer.poll() ?? {};
    expect(ledger?.wokenAtMilliseconds).toBe(ledger?.publishedAtMilliseconds);
  });

  it("gives a token of several slots the moment of its last", async () => {
    const { consumer, producer } = openRing({ capacity: 1 });
    const long = tokenAt(0, performance.now(), "x".repeat(40));
    expect(producer.push(long)).toBe(false);
    expect(consumer.poll()).toBeUndefined();
    await producer.writable();
    expect(producer.push(long)).toBe(false);
    expect(consumer.poll()).toBeUndefined();
    await producer.writable();
    const beforeLast = performance.now();
    expect(producer.push(long)).toBe(true);
    const token = consumer.poll();
    expect(token?.text).toBe(long.text);
    expectInOrder([beforeLast, token?.ledger?.publishedAtMilliseconds ?? Number.NaN]);
  });

  it("is on the consumer's clock", () => {
    const { consumer, producer } = openRing({ capacity: 2 }, 1000);
    const before = performance.now();
    producer.push(tokenAt(0, before));
    const token = consumer.poll();
    expect(token?.producedAtMilliseconds).toBe(before + 1000);
    const published = token?.ledger?.publishedAtMilliseconds ?? Number.NaN;
    expectInOrder([before, published - 1000, performance.now()]);
  });

  it("is absent where the moment of production is unknown, and by default", () => {
    const unknown = openRing({ capacity: 2 });
    unknown.producer.push(tokenAt(0, undefined));
    expect(unknown.consumer.poll()).toEqual(tokenAt(0, undefined));
    const without = openRing({ capacity: 2, ledger: false });
    without.producer.push(tokenAt(0, 1));
    expect(Object.keys(without.consumer.poll() ?? {})).toEqual(Object.keys(tokenAt(0, 1)));
  });
});

describe("the ledger of a runtime's tokens", () => {
  const model = pacedModel({ stepMicroseconds: 20 });
  const config = { maxTokens: 600 };

  it.each([1, 8])(
    "is in order in both modes of streaming (publishBatch %i)",
    async (publishBatch) => {
      await using runtime = await createRuntime({ model, ring: { publishBatch, ledger: true } });
      expect(runtime.describe().ring.ledger).toBe(true);
      const called: number[][] = [];
      await runtime.generateStream(
        "go",
        (token) => void called.push(stations(token, performance.now())),
        config,
      );
      const iterated: number[][] = [];
      for await (const token of runtime.generateStreamAsync("go", config)) {
        iterated.push(stations(token, performance.now()));
      }
      for (const tokens of [called, iterated]) {
        expect(tokens).toHaveLength(config.maxTokens);
        for (const times of tokens) expectInOrder(times);
        for (const station of [1, 2]) expectInOrder(tokens.map((times) => times[station] ?? 0));
      }
    },
  );

  it("is absent by default, and without a ring", async () => {
    await using runtime = await createRuntime({ model });
    await using inline = await createInlineGenerator({ model });
    for (const generator of [runtime, inline]) {
      const tokens: StreamToken[] = [];
      await generator.generateStream("go", (token) => void tokens.push(token), { maxTokens: 20 });
      expect(tokens.filter((token) => "ledger" in token)).toEqual([]);
    }
  });

  it("is refused where there is no ring", async () => {
    const options = { model, ring: { ledger: true } };
    await expect(createInlineGenerator(options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining('"ring"') as string,
    });
  });
});
