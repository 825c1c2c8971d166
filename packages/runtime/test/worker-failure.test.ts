import type { Worker } from "node:worker_threads";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createRuntime, embeddedModel, pacedModel, type Runtime } from "@streamgauge/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const endless = { maxTokens: 1_000_000 };
const faulty = pacedModel({ stepMicroseconds: 20, faults: true });
let runtime: Runtime;
/** Threads that were started and have not ended. */
const threads = new Set<Worker>();

function watch(thread: Worker): void {
  threads.add(thread);
  thread.once("exit", () => threads.delete(thread));
}

/** The completion of a paced model after a prompt that ends with this id. */
function countFrom(id: number, tokens: number): number[] {
  return Array.from({ length: tokens }, (_, index) => (id + 1 + index) % 1000);
}

beforeEach(() => {
  process.on("worker", watch);
});
afterEach(async () => {
  await runtime.close();
  process.off("worker", watch);
  if (threads.size > 0) throw new Error(`${threads.size} threads outlived their runtime`);
});

/** Ends what hangs, and not what a busy machine delays: a replacement starts a thread and loads its model. */
const patiently = { timeout: 60_000 };

describe("a worker that is lost", () => {
  it.each([
    ["exit", "exited with code: 1"],
    ["uncaught", "A fault was commanded"],
    ["reject", "A fault was commanded"],
    ["heap", "memory limit"],
  ])(
    "by %s fails its own stream only, with what was delivered, and is replaced",
    async (kind, why) => {
      runtime = await createRuntime({ model: faulty, workers: 2, maxHeapMegabytes: 48 });
      const others = [400, 500].map((id) => runtime.generate([id], { maxTokens: 300 }));
      const seen: number[] = [];
      const lost = runtime.generateStream(`${kind} at 12`, ({ id }) => void seen.push(id), endless);
      await expect(lost).rejects.toMatchObject({
        code: "WORKER_FAILED",
        message: expect.stringContaining("another takes its place") as string,
        cause: { message: expect.stringContaining(why) as string },
      });
      // All that was made before the fault was published; a heap that is full may keep the last from being read.
      await expect(lost).rejects.toMatchObject({ partial: { ids: seen } });
      expect(seen).toEqual(countFrom(999, 12));
      expect((await Promise.all(others)).map(({ ids }) => ids)).toEqual([
        countFrom(400, 300),
        countFrom(500, 300),
      ]);
      await vi.waitFor(
        () => expect(runtime.metrics().workers).toEqual({ ready: 2, lost: 1, replaced: 1 }),
        patiently,
      );
      const again = await Promise.all(
        [1, 2, 3].map((id) => runtime.generate([id], { maxTokens: 5 })),
      );
      expect(again.map(({ ids }) => ids)).toEqual([1, 2, 3].map((id) => countFrom(id, 5)));
    },
  );

  it("fails the iteration and the result of a stream alike, and generate() too", async () => {
    runtime = await createRuntime({ model: faulty });
    const stream = runtime.generateStreamAsync("exit at 20", endless);
    const seen: number[] = [];
    const iteration = (async () => {
      for await (const { id } of stream) seen.push(id);
    })();
    await expect(iteration).rejects.toMatchObject({ code: "WORKER_FAILED" });
    await expect(stream.result).rejects.toMatchObject({ partial: { ids: seen } });
    expect(seen).toEqual(countFrom(999, 20));
    await expect(runtime.generate("exit at 3", endless)).rejects.toMatchObject({
      code: "WORKER_FAILED",
    });
  });

  it("from outside, between two generations, costs no call", async () => {
    runtime = await createRuntime({ model: faulty, workers: 1 });
    const [thread] = threads;
    await thread?.terminate();
    const calls = [1, 2].map((id) => runtime.generate([id], { maxTokens: 3 }));
    expect((await Promise.all(calls)).map(({ ids }) => ids)).toEqual([
      [2, 3, 4],
      [3, 4, 5],
    ]);
    expect(runtime.metrics().workers).toEqual({ ready: 1, lost: 1, replaced: 1 });
  });

  it("before it is ready is replaced too", async () => {
    runtime = await createRuntime({ model: faulty, workers: 2 });
    const before = [...threads];
    // piscina replaces no thread any more after this.
    process.once("worker", (thread) => void thread.terminate());
    await before[0]?.terminate();
    await vi.waitFor(
      () => expect(runtime.metrics().workers).toMatchObject({ ready: 2, lost: 2 }),
      patiently,
    );
    await before[1]?.terminate();
    const calls = [1, 2, 3, 4].map((id) => runtime.generate([id], { maxTokens: 3 }));
    expect((await Promise.all(calls)).map(({ ids }) => ids)).toEqual(
      [1, 2, 3, 4].map((id) => countFrom(id, 3)),
    );
    await vi.waitFor(
      () => expect(runtime.metrics().workers).toMatchObject({ ready: 2 }),
      patiently,
    );
  });

  it("is none when the engine throws", async () => {
    runtime = await createRuntime({ model: faulty });
    await expect(
      runtime.generateStream("throw at 3", () => undefined, endless),
    ).rejects.toMatchObject({ code: "ENGINE_FAILED", partial: { ids: [0, 1, 2] } });
    expect(runtime.metrics()).toMatchObject({
      workers: { ready: 1, lost: 0 },
      generations: { failed: { ENGINE_FAILED: 1 } },
    });
  });
});

describe("a runtime gives up", () => {
  it("when no generation ends any more, and says why, while what runs goes on", async () => {
    runtime = await createRuntime({ model: faulty, workers: 2 });
    const running = runtime.generateStreamAsync([5], endless);
    const iterator = running[Symbol.asyncIterator]();
    await iterator.next();
    const fatal = Array.from({ length: 16 }, () => runtime.generate("exit at 2", endless));
    const waiting = runtime.generate([7], { maxTokens: 3 });
    const outcomes = await Promise.allSettled([...fatal, waiting]);
    const reasons = outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason);
    expect(reasons.slice(0, 16)).toEqual(
      fatal.map(() => expect.objectContaining({ code: "WORKER_FAILED" }) as unknown),
    );
    const givenUp = {
      code: "WORKER_FAILED",
      message: expect.stringMatching(/given up replacing workers: 16 .* create another/) as string,
    };
    expect(reasons[16]).toMatchObject(givenUp);
    await expect(runtime.generate([7])).rejects.toMatchObject(givenUp);
    const stream = runtime.generateStreamAsync([7]);
    await expect(stream.result).rejects.toMatchObject(givenUp);
    for (let index = 1; index < 600; index++) {
      expect((await iterator.next()).value).toMatchObject({ index, id: 6 + index });
    }
    await iterator.return();
    expect((await running.result).finishReason).toBe("cancelled");
  });

  it("when its model is gone", async () => {
    const folder = await temporaryFolder();
    const model = join(folder, "model");
    await cp(embeddedModel, model, { recursive: true });
    runtime = await createRuntime({ model });
    await rm(model, { recursive: true });
    const [thread] = threads;
    await thread?.terminate();
    await expect(runtime.generate("go")).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: expect.stringMatching(/3 replacements in a row failed to load .*model/) as string,
      cause: { code: "MODEL_NOT_FOUND" },
    });
    expect(runtime.metrics().workers).toEqual({ ready: 0, lost: 4, replaced: 0 });
  });

  it("before it begins, when its threads end before they are ready", async () => {
    const end = (thread: Worker): void => void thread.terminate();
    process.on("worker", end);
    const started = createRuntime({ model: faulty });
    await expect(started).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: expect.stringContaining("failed to start") as string,
    });
    process.off("worker", end);
  });

  it("before it begins, when the heap is too small to load", async () => {
    const started = createRuntime({ maxHeapMegabytes: 4 });
    await expect(started).rejects.toMatchObject({
      code: "WORKER_FAILED",
      cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
    });
  });
});

describe("closing", () => {
  it("settles what waits, what runs and what is dying, also from within a callback", async () => {
    runtime = await createRuntime({ model: faulty, workers: 2 });
    const dying = runtime.generate("exit at 30", endless);
    let closing: Promise<void> | undefined;
    const running = runtime.generateStream(
      [5],
      async ({ index }) => {
        if (index === 20) await (closing = runtime.close());
      },
      endless,
    );
    const waiting = [1, 2, 3].map((id) => runtime.generate([id], endless));
    const stream = runtime.generateStreamAsync([4], endless);
    const died = await dying.then(
      ({ finishReason }) => finishReason,
      ({ code }: { code: string }) => code,
    );
    expect(["WORKER_FAILED", "closed"]).toContain(died);
    expect(await running).toMatchObject({ finishReason: "closed", ids: countFrom(5, 21) });
    for (const { finishReason, ids } of await Promise.all(waiting)) {
      expect({ finishReason, ids }).toEqual({ finishReason: "closed", ids: [] });
    }
    expect((await stream.result).finishReason).toBe("closed");
    await closing;
    expect(threads.size).toBe(0);
  });

  it("is bounded, and leaves a worker that is in the middle of a step alone", async () => {
    // Far longer than a machine stalls: the next step still runs when the closing is given up.
    runtime = await createRuntime({ model: pacedModel({ stepMicroseconds: 2_000_000 }) });
    const stream = runtime.generateStreamAsync([5], endless);
    await stream[Symbol.asyncIterator]().next();
    await expect(runtime.close({ timeoutMilliseconds: 1 })).rejects.toMatchObject({
      code: "CLOSE_TIMEOUT",
      message: expect.stringContaining("after 1 ms") as string,
    });
    expect(threads.size).toBe(1);
    await runtime.close();
    expect((await stream.result).finishReason).toBe("closed");
  }, 30_000);

  it("settles while a lost worker's place is being taken", async () => {
    await using closed = await createRuntime({ model: faulty });
    await expect(closed.generate("exit at 3", endless)).rejects.toMatchObject({
      code: "WORKER_FAILED",
    });
    const waiting = closed.generate([1], endless);
    await closed.close();
    expect((await waiting).finishReason).toBe("closed");
  });
});
