import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createRuntime, pacedModel, type RingOptions } from "@streamgauge/runtime";
import type { StreamToken } from "@streamgauge/core";
import { describe, expect, it, vi } from "vitest";
import {
  RingProducer,
  createRing,
  resolveRingOptions,
  type NewRing,
  type RingConsumer,
} from "../src/ring/index.js";

const strategies: readonly RingOptions[] = [
  { wait: "waitAsync" },
  { wait: "message" },
  { wait: "block" },
  { wait: "block", spinMicroseconds: 50 },
];

function token(index: number): StreamToken {
  return {
    index,
    id: index * 7,
    text: `t${index}`,
    endOfSequence: false,
    logprob: undefined,
    producedAtMilliseconds: undefined,
  };
}

function openRing(options: RingOptions): NewRing & { producer: RingProducer } {
  const ring = createRing(resolveRingOptions(options));
  return { ...ring, producer: new RingProducer(ring.memory) };
}

function startProducer(
  { memory, transfer }: NewRing,
  work: { count: number; pauseMilliseconds?: number },
): Worker {
  return new Worker(new URL("./ring-producer.worker.mjs", import.meta.url), {
    workerData: { memory, ...work },
    transferList: [...transfer],
  });
}

async function readIndices(consumer: RingConsumer): Promise<number[]> {
  const indices: number[] = [];
  while (await consumer.wait()) {
    for (let next = consumer.poll(); next !== undefined; next = consumer.poll()) {
      indices.push(next.index);
    }
  }
  return indices;
}

/** Ports of this thread that were opened since, and those that still are. */
function watchPorts(): { readonly open: ReadonlySet<number>; stop(): number } {
  const open = new Set<number>();
  let opened = 0;
  const hook = createHook({
    init: (id, type) => {
      if (type !== "MESSAGEPORT") return;
      open.add(id);
      opened += 1;
    },
    destroy: (id) => void open.delete(id),
  }).enable();
  return {
    open,
    stop: () => {
      hook.disable();
      return opened;
    },
  };
}

describe.each(strategies)("a consumer that waits with %o", (options) => {
  it("gets every token of another thread, which often finds it asleep", async () => {
    const ring = createRing(resolveRingOptions({ ...options, capacity: 4 }));
    const worker = startProducer(ring, { count: 200, pauseMilliseconds: 0 });
    const exited = once(worker, "exit");
    const expected = Array.from({ length: 200 }, (_, index) => index);
    expect(await readIndices(ring.consumer)).toEqual(expected);
    expect(ring.consumer.ending).toBe("complete");
    await exited;
  });

  it("is woken on its own thread by stop, and by the loss of the producer", async () => {
    for (const wakeUp of [
      (consumer: RingConsumer) => consumer.stop("aborted"),
      (consumer: RingConsumer) => consumer.declareLost(),
    ]) {
      const { consumer } = openRing(options);
      const waiting = consumer.wait();
      setTimeout(wakeUp, 1, consumer);
      expect(await waiting).toBe(false);
    }
  });

  it("leaves timers their turn while tokens come without end", async () => {
    const ring = createRing(resolveRingOptions(options));
    const worker = startProducer(ring, { count: 1_000_000, pauseMilliseconds: 1 });
    const exited = once(worker, "exit");
    setTimeout(() => ring.consumer.stop("cancelled"), 100);
    await readIndices(ring.consumer);
    expect(ring.consumer.stopReason).toBe("cancelled");
    await exited;
  });

  it("sees aborts, deadlines and the death of a worker while it waits for a slow step", async () => {
    const spy = vi.spyOn(Worker.prototype, "postMessage");
    await using runtime = await createRuntime({
      model: pacedModel({ stepMicroseconds: 200_000 }),
      ring: options,
    });
    const thread = spy.mock.contexts.find((context) => context instanceof Worker);
    spy.mockRestore();
    const read = async (config: object): Promise<string> => {
      const stream = runtime.generateStreamAsync("one", { maxTokens: 10_000, ...config });
      for await (const _ of stream);
      return (await stream.result).finishReason;
    };
    expect(await read({ signal: AbortSignal.timeout(30) })).toBe("aborted");
    expect(await read({ deadlineMilliseconds: 30 })).toBe("deadline");
    setTimeout(() => void thread?.terminate(), 30);
    await expect(read({})).rejects.toMatchObject({ code: "WORKER_FAILED" });
  });
});

describe.each(["waitAsync", "message", "block"] as const)("a consumer that dozes in %s", (wait) => {
  it("sees aborts, deadlines, ends, failures and the death of a worker before its time is over", async () => {
    const spy = vi.spyOn(Worker.prototype, "postMessage");
    await using runtime = await createRuntime({
      model: pacedModel({ stepMicroseconds: 500, faults: true }),
      // Longer than this test may take: what waits for the clock fails it.
      ring: { wait, maxDelayMilliseconds: 1000, capacity: 65_536 },
    });
    const thread = spy.mock.contexts.find((context) => context instanceof Worker);
    spy.mockRestore();
    const read = async (prompt: string | number[], config: object = {}): Promise<string> => {
      const stream = runtime.generateStreamAsync(prompt, { maxTokens: 100_000, ...config });
      for await (const _ of stream);
      return (await stream.result).finishReason;
    };
    for (let round = 0; round < 4; round++) {
      expect(await read([1], { signal: AbortSignal.timeout(30) })).toBe("aborted");
      expect(await read([1], { deadlineMilliseconds: 30 })).toBe("deadline");
      expect(await read([1], { maxTokens: 50 })).toBe("length");
      await expect(read("throw at 50")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    }
    setTimeout(() => void thread?.terminate(), 30);
    await expect(read([1])).rejects.toMatchObject({ code: "WORKER_FAILED" });
  }, 10_000);
});

describe("a consumer that waits for messages", () => {
  it("is sent one for each sleep, and none while it is awake", async () => {
    const { consumer, producer, memory } = openRing({ wait: "message", capacity: 8 });
    if (memory.port === undefined) throw new Error("There is no port.");
    const posted = vi.spyOn(memory.port, "postMessage");
    producer.push(token(0));
    expect(posted).not.toHaveBeenCalled();
    expect(await consumer.wait()).toBe(true);
    expect(consumer.poll()?.index).toBe(0);
    for (let sleep = 1; sleep <= 3; sleep++) {
      const waiting = consumer.wait();
      for (let index = 0; index < 4; index++) producer.push(token(index));
      expect(posted).toHaveBeenCalledTimes(sleep);
      expect(await waiting).toBe(true);
      while (consumer.poll() !== undefined);
    }
  });

  it("leaves no port behind, however 100,000 streams end", async () => {
    const ports = watchPorts();
    const ends: readonly ((ring: ReturnType<typeof openRing>) => unknown)[] = [
      ({ consumer, producer }) => (producer.end(), consumer.wait()),
      ({ consumer }) => consumer.stop("cancelled"),
      ({ consumer }) => consumer.declareLost(),
      // The consumer is never heard of again.
      ({ producer }) => producer.end(),
    ];
    for (let stream = 0; stream < 100_000; stream++) {
      const ring = openRing({ wait: "message", capacity: 1 });
      ring.producer.begin();
      await ends[stream % ends.length]?.(ring);
      if (stream % 100 === 0) await nextTurn();
      expect(ports.open.size).toBeLessThan(1000);
    }
    while (ports.open.size > 0) await nextTurn();
    expect(ports.stop()).toBe(200_000);
  });

  it("leaves no port behind in a runtime's streams that are read, left, aborted or never begun", async () => {
    await using runtime = await createRuntime({
      model: pacedModel({ stepMicroseconds: 20 }),
      ring: { wait: "message", capacity: 4 },
    });
    const ports = watchPorts();
    for (let round = 0; round < 50; round++) {
      const read = runtime.generateStreamAsync("read", { maxTokens: 9 });
      const left = runtime.generateStreamAsync("left", { maxTokens: 900 });
      const controller = new AbortController();
      const { signal } = controller;
      const aborted = runtime.generateStreamAsync("aborted", { maxTokens: 900, signal });
      const queued = runtime.generateStreamAsync("queued", { maxTokens: 900 });
      await queued[Symbol.asyncIterator]().return?.();
      for await (const _ of read);
      for await (const { index } of left) if (index === 5) break;
      for await (const { index } of aborted) if (index === 5) controller.abort();
      await Promise.all([read, left, aborted, queued].map(({ result }) => result));
    }
    while (ports.open.size > 0) await nextTurn();
    expect(ports.stop()).toBeGreaterThanOrEqual(400);
  });
});
