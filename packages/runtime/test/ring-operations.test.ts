import type { StreamToken } from "@streamgauge/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  RingProducer,
  createRing,
  resolveRingOptions,
  type RingOptions,
} from "../src/ring/index.js";
import { headWord, tailWord } from "../src/ring/layout.js";
import { plainToken } from "../../core/test/plain-token.js";

/** Atomic operations since the last look, as "load HEAD" and the like. */
let operations: string[] = [];

const wordNames = new Map([
  [headWord, "HEAD"],
  [tailWord, "TAIL"],
]);

beforeEach(() => {
  const { Atomics: real } = globalThis;
  const record = (name: string, word: number): void => {
    operations.push(`${name} ${wordNames.get(word) ?? "a state"}`);
  };
  vi.stubGlobal("Atomics", {
    load: (array: Int32Array, word: number) => {
      record("load", word);
      return real.load(array, word);
    },
    store: (array: Int32Array, word: number, value: number) => {
      record("store", word);
      return real.store(array, word, value);
    },
    notify: (array: Int32Array, word: number) => {
      record("notify", word);
      return real.notify(array, word);
    },
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function operationsOf(work: () => void): Record<string, number> {
  operations = [];
  work();
  const counts: Record<string, number> = {};
  for (const operation of operations) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

function openRing(options: RingOptions) {
  const { consumer, memory } = createRing(resolveRingOptions(options));
  return { consumer, producer: new RingProducer(memory) };
}

function token(index: number, text = "a"): StreamToken {
  return plainToken(index, { text });
}

describe("the atomic operations of a ring", () => {
  it.each([1, 8, 30])("read %i tokens with one load of HEAD and one store of TAIL", (count) => {
    const { consumer, producer } = openRing({ capacity: 64, publishBatch: 64 });
    producer.push(token(0));
    consumer.poll();
    consumer.poll();
    for (let index = 1; index <= count; index++) producer.push(token(index));
    producer.end();
    const first = operationsOf(() => consumer.poll());
    expect(first).toEqual({ "load HEAD": 1 });
    const others = operationsOf(() => {
      for (let index = 2; index <= count; index++) consumer.poll();
    });
    expect(others).toEqual({});
    // The look that finds nothing more gives all of it back.
    const last = operationsOf(() => expect(consumer.poll()).toBeUndefined());
    expect(last).toEqual({ "store TAIL": 1, "load a state": 1, "load HEAD": 1 });
  });

  it.each([1, 2, 8, 16])("publish a batch of %i tokens with one store of HEAD", (publishBatch) => {
    const { producer } = openRing({ capacity: 128, publishBatch });
    producer.push(token(0));
    const batches = operationsOf(() => {
      for (let index = 1; index <= 4 * publishBatch; index++) producer.push(token(index));
    });
    expect(batches).toEqual({ "store HEAD": 4, "load a state": 4 });
  });

  it("are a bounded number for each push and poll, whatever the other side does", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.array(fc.constantFrom("push" as const, "push long" as const, "poll" as const), {
          size: "+1",
        }),
        (capacity, actions) => {
          const { consumer, producer } = openRing({ capacity });
          const texts = { push: "a", "push long": "a".repeat(40), poll: "" };
          let pushed = 0;
          let next = token(0);
          for (const action of actions) {
            const counts = operationsOf(() => {
              if (action === "poll") consumer.poll();
              else if (producer.push(next)) pushed += 1;
            });
            if (next.index !== pushed) next = token(pushed, texts[action]);
            const sum = Object.values(counts).reduce((total, count) => total + count, 0);
            // Two looks and two publications for one slot, and three slots for the longest text.
            expect(sum).toBeLessThanOrEqual(3 * 8);
            expect(counts["notify a state"]).toBeUndefined();
          }
        },
      ),
      { seed: 4 },
    );
  });
});
