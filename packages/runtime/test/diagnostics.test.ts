import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { createRuntime, pacedModel, type Runtime } from "@streamgauge/runtime";
import {
  startDiagnostic,
  type Diagnostic,
  type ThreadReports,
} from "@streamgauge/runtime/diagnostics";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const kinds: readonly Diagnostic[] = ["cpuProfile", "allocations", "timeline", "asyncActivity"];

function flatten(head: ThreadReports["allocations"]["head"]): (typeof head)[] {
  return [head, ...head.children.flatMap(flatten)];
}

function filesIn(report: ThreadReports["cpuProfile" | "allocations"]): string[] {
  const nodes = "head" in report ? flatten(report.head) : report.nodes;
  return nodes.map(({ callFrame }) => callFrame.url);
}

function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe("a diagnostic of this thread", () => {
  it("names the function that used the time", async () => {
    const running = await startDiagnostic("cpuProfile");
    // Long enough to be sampled, however long the machine takes for it.
    for (let times = 0; times < 60; times++) spin(1);
    const { nodes, samples } = await running.stop();
    const spinning = nodes.filter(({ callFrame }) => callFrame.functionName === "spin");
    expect(spinning.length).toBeGreaterThan(0);
    expect(samples?.some((sample) => spinning.some(({ id }) => id === sample))).toBe(true);
  });

  it("counts the bytes that a function allocates, garbage included", async () => {
    const slots: unknown[] = Array.from({ length: 16 });
    const makeGarbage = (count: number): void => {
      for (let i = 0; i < count; i++) slots[i & 15] = [i, i, i, i, i, i, i, i];
    };
    const running = await startDiagnostic("allocations");
    makeGarbage(300_000);
    const { head } = await running.stop();
    let bytes = 0;
    for (const { callFrame, selfSize } of flatten(head)) {
      if (callFrame.functionName === "makeGarbage") bytes += selfSize;
    }
    // An array of 32 bytes, and its elements: a header of 16 and eight pointers.
    const ratio = bytes / (300_000 * (32 + 16 + 8 * 8));
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  it("has the garbage collections, also those just before it stops", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
    const running = await startDiagnostic("timeline");
    const before = performance.now();
    collect();
    collect({ type: "minor" });
    const after = performance.now();
    const { garbageCollections } = await running.stop();
    for (const kind of ["major", "minor"]) {
      const found = garbageCollections.filter(
        (pause) =>
          pause.kind === kind &&
          pause.startMilliseconds >= before &&
          pause.startMilliseconds + pause.durationMilliseconds <= after,
      );
      expect(found.length).toBeGreaterThan(0);
    }
  });

  it("shows where the event loop was held up, also until it stops", async () => {
    const before = performance.now();
    const running = await startDiagnostic("timeline");
    spin(30);
    const after = performance.now();
    const { eventLoopDelays } = await running.stop();
    const late = eventLoopDelays.find(
      ({ startMilliseconds, durationMilliseconds }) =>
        startMilliseconds >= before && startMilliseconds + durationMilliseconds >= after,
    );
    expect(late?.startMilliseconds).toBeLessThan(after);
  });

  it("counts promises and their reactions", async () => {
    const count = async (rounds: number) => {
      const running = await startDiagnostic("asyncActivity");
      for (let round = 0; round < rounds; round++) await Promise.resolve(round).then(() => spin(0));
      return await running.stop();
    };
    const few = await count(0);
    const many = await count(1000);
    // Two each are written above, and `await` may add to them.
    expect(many.promises - few.promises).toBeGreaterThan(1900);
    expect(many.promises - few.promises).toBeLessThan(4100);
    expect(many.reactions - few.reactions).toBeGreaterThan(1900);
    expect(many.reactions - few.reactions).toBeLessThan(3100);
    expect(many.reactionMilliseconds).toBeGreaterThan(0);
  });

  it("is one of a kind, gives its report twice, and can be started again", async () => {
    for (const kind of kinds) {
      const running = await startDiagnostic(kind);
      await expect(startDiagnostic(kind)).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringMatching(`"${kind}" is running .* stop it`) as string,
      });
      expect(await running.stop()).toBe(await running.stop());
      await (await startDiagnostic(kind)).stop();
    }
  });

  it("has a known name", async () => {
    await expect(startDiagnostic("heap" as Diagnostic)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("Known: cpuProfile, allocations") as string,
    });
  });
});

describe.each([
  // Woken for each token, so that samples of this thread find it reading.
  [
    "the paced model",
    () =>
      createRuntime({
        model: pacedModel({ stepMicroseconds: 50 }),
        ring: { maxDelayMilliseconds: 0 },
      }),
  ],
  ["the embedded model", () => createRuntime({ ring: { maxDelayMilliseconds: 0 } })],
])("diagnostics around a generation of %s", (_, open) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await open();
  });
  afterAll(() => runtime.close());

  async function around<K extends Diagnostic>(kind: K) {
    const before = performance.now();
    const inWorkers = await runtime.startDiagnostic(kind);
    const here = await startDiagnostic(kind);
    const { ids } = await runtime.generateStream("It is not down", () => undefined, {
      maxTokens: 900,
      ignoreEos: true,
    });
    const ours = await here.stop();
    const reports = await inWorkers.stop();
    expect(reports).toHaveLength(1);
    const [worker] = reports;
    if (worker === undefined) expect.fail("no report");
    expect(worker.threadId).toBeGreaterThan(0);
    const times = [before, performance.now()] as const;
    return { worker, ours, times, tokens: ids.length };
  }

  it.each(["cpuProfile", "allocations"] as const)("know the engine's files: %s", async (kind) => {
    const { worker, ours } = await around(kind);
    expect(filesIn(worker.report)).toContainEqual(expect.stringContaining("/dist/engine/"));
    expect(filesIn(ours)).toContainEqual(expect.stringContaining("/dist/ring/consumer.js"));
  });

  it("have a timeline on a clock that can be compared", async () => {
    const { worker, ours, times } = await around("timeline");
    expect(worker.report.garbageCollections.length).toBeGreaterThan(0);
    for (const { report, offset } of [
      { report: worker.report, offset: worker.clockOffsetMilliseconds },
      { report: ours, offset: 0 },
    ]) {
      for (const pause of [...report.garbageCollections, ...report.eventLoopDelays]) {
        const start = pause.startMilliseconds + offset;
        const inOrder = [times[0], start, start + pause.durationMilliseconds, times[1]];
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      }
    }
  });

  it("count a promise or more for each token", async () => {
    const { worker, ours, tokens } = await around("asyncActivity");
    expect(tokens).toBe(900);
    expect(worker.report.promises).toBeGreaterThan(tokens);
    expect(worker.report.reactions).toBeGreaterThan(tokens);
    expect(ours.promises).toBeGreaterThan(0);
    expect(ours.reactionMilliseconds).toBeGreaterThan(0);
  });
});

describe("a diagnostic of workers", () => {
  const model = pacedModel({ stepMicroseconds: 0 });

  it("comes from each of them, once at a time", async () => {
    await using runtime = await createRuntime({ model, workers: 2 });
    const running = await runtime.startDiagnostic("asyncActivity");
    await expect(runtime.startDiagnostic("asyncActivity")).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("stop it before starting another") as string,
    });
    const reports = await running.stop();
    expect(new Set(reports.map(({ threadId }) => threadId)).size).toBe(2);
    expect(await running.stop()).toBe(reports);
    await (await runtime.startDiagnostic("asyncActivity")).stop();
    await expect(runtime.startDiagnostic("heap" as Diagnostic)).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });

  it("rejects when a worker has died, and ends in the others", async () => {
    // The pool keeps its threads to itself; the first message to one shows it to us.
    const spy = vi.spyOn(Worker.prototype, "postMessage");
    await using runtime = await createRuntime({ model, workers: 2 });
    const threads = spy.mock.contexts.filter((context) => context instanceof Worker);
    spy.mockRestore();
    const running = await runtime.startDiagnostic("timeline");
    await threads[0]?.terminate();
    await expect(running.stop()).rejects.toMatchObject({ code: "WORKER_FAILED" });
    await vi.waitFor(async () => expect((await runtime.memory()).workers).toHaveLength(2), {
      timeout: 60_000,
    });
    const again = await runtime.startDiagnostic("timeline");
    expect(await again.stop()).toHaveLength(2);
  });

  it("rejects when the runtime is closed", async () => {
    const runtime = await createRuntime({ model });
    const running = await Promise.all(kinds.map((kind) => runtime.startDiagnostic(kind)));
    await runtime.close();
    for (const diagnostic of running) {
      await expect(diagnostic.stop()).rejects.toMatchObject({ code: "CLOSED" });
    }
    await expect(runtime.startDiagnostic("timeline")).rejects.toMatchObject({ code: "CLOSED" });
  });
});
