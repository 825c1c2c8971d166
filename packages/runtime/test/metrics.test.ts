import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { createRuntime, pacedModel, type GenerationReport } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";

const endless = { maxTokens: 1_000_000 };
const model = pacedModel({ stepMicroseconds: 20, faults: true });

describe("metrics", () => {
  it("count what is going on now", async () => {
    await using runtime = await createRuntime({ model });
    expect(runtime.metrics()).toMatchObject({
      queued: 0,
      active: 0,
      workers: { ready: 1, lost: 0 },
    });
    const iterator = runtime.generateStreamAsync([0], endless)[Symbol.asyncIterator]();
    const waiting = [1, 2].map((id) => runtime.generate([id], { maxTokens: 1 }));
    await iterator.next();
    expect(runtime.metrics()).toMatchObject({ queued: 2, active: 1 });
    await iterator.return?.();
    await Promise.all(waiting);
    expect(runtime.metrics()).toMatchObject({ queued: 0, active: 0 });
  });

  it("count a generation once, as it ended for its worker, whoever leaves later", async () => {
    const reports: GenerationReport[] = [];
    await using runtime = await createRuntime({
      model,
      observers: [{ generationEnded: (report) => reports.push(report) }],
    });
    const stream = runtime.generateStreamAsync([0], { maxTokens: 60 });
    for await (const _ of stream) {
      while (runtime.metrics().active > 0) await new Promise((resolve) => setImmediate(resolve));
      break;
    }
    expect(await stream.result).toMatchObject({
      finishReason: "cancelled",
      usage: { completionTokens: 1, producedTokens: 60 },
    });
    await runtime.close();
    expect(reports).toMatchObject([{ finishReason: "length", completionTokens: 60 }]);
    expect(runtime.metrics()).toMatchObject({
      active: 0,
      generations: { finished: { length: 1 }, failed: {} },
    });
  });

  it("count generations by their end, and their tokens", async () => {
    await using runtime = await createRuntime({ model, maxQueue: 3 });
    await runtime.generate([1, 2, 3], { maxTokens: 10 });
    await runtime.generateStream([1], () => undefined, { maxTokens: 20, stopTokenIds: [6] });
    const { usage } = await runtime.generateStream([1], () => false, endless);
    const running = runtime.generateStreamAsync([0], endless);
    await running[Symbol.asyncIterator]().next();
    const controller = new AbortController();
    const aborted = runtime.generate([1], { ...endless, signal: controller.signal });
    controller.abort();
    expect((await aborted).finishReason).toBe("aborted");
    const fatal = runtime.generate("exit at 2", endless);
    const failing = runtime.generate("throw at 2", endless);
    const last = runtime.generate([1], { maxTokens: 1, deadlineMilliseconds: 1 });
    await expect(runtime.generate([1])).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect((await last).finishReason).toBe("deadline");
    const before = runtime.metrics();
    await runtime.close();
    await Promise.allSettled([running.result, fatal, failing]);
    const { generations, tokens, endToEnd, queueTime, timePerOutputToken } = runtime.metrics();
    expect(before.generations).toEqual({
      finished: { length: 1, stop: 1, cancelled: 1, aborted: 1, deadline: 1 },
      failed: { QUEUE_FULL: 1 },
    });
    expect(before.tokens).toEqual({
      prompt: 3 + 1 + 1,
      cached: 0,
      completion: 10 + 5 + (usage.producedTokens ?? 0),
    });
    expect(generations.finished).toMatchObject({ closed: 3 });
    expect(tokens.prompt).toBe(before.tokens.prompt + 1);
    expect(endToEnd.count).toBe(8);
    // Those that were stopped while they waited never began.
    expect(queueTime.count).toBe(4);
    expect(timePerOutputToken.count).toBe(before.timePerOutputToken.count + 1);
  });

  it("tell how often streams woke their consumer, and for how many tokens", async () => {
    const wakeUpsOf = async (maxDelayMilliseconds: number): Promise<(number | undefined)[]> => {
      const reports: GenerationReport[] = [];
      await using runtime = await createRuntime({
        model: pacedModel({ stepMicroseconds: 500 }),
        ring: { maxDelayMilliseconds },
        observers: [{ generationEnded: (report) => void reports.push(report) }],
      });
      expect(runtime.describe().ring.maxDelayMilliseconds).toBe(maxDelayMilliseconds);
      await runtime.generate([1], { maxTokens: 3 });
      expect(runtime.metrics().delivery).toEqual({ tokens: 0, wakeUps: 0 });
      await runtime.generateStream([1], () => undefined, { maxTokens: 100 });
      const { tokens, wakeUps } = runtime.metrics().delivery;
      expect(tokens).toBe(100);
      expect(reports[0]?.wakeUps).toBeUndefined();
      expect(reports[1]?.wakeUps).toBeLessThanOrEqual(wakeUps);
      return [wakeUps, reports[1]?.wakeUps];
    };
    // 50 ms: two tokens that wake, the end, and the ticks of a clock that is never early.
    const [moderated] = await wakeUpsOf(1000);
    expect(moderated).toBeLessThanOrEqual(4);
    const [each] = await wakeUpsOf(0);
    expect(each).toBeGreaterThan(0);
  });

  it("give times as distributions that can be merged", async () => {
    await using runtime = await createRuntime({ model });
    for (let call = 0; call < 5; call++) await runtime.generate([call], { maxTokens: 11 });
    const { endToEnd, timeToFirstToken, timePerOutputToken, queueTime } = runtime.metrics();
    for (const times of [endToEnd, timeToFirstToken, timePerOutputToken, queueTime]) {
      const { count, p50Nanoseconds, p90Nanoseconds, p99Nanoseconds, maximumNanoseconds } = times;
      expect(count).toBe(5);
      const ordered = [p50Nanoseconds, p90Nanoseconds, p99Nanoseconds, maximumNanoseconds];
      expect(ordered).toEqual(ordered.toSorted((a, b) => a - b));
      const merged = decodeFromCompressedBase64(times.histogram);
      merged.add(decodeFromCompressedBase64(times.histogram));
      expect(merged.totalCount).toBe(10);
      // To the three digits that a histogram keeps.
      expect(merged.maxValue / maximumNanoseconds).toBeCloseTo(1, 2);
    }
    // A step takes its time, and ten lie between eleven tokens.
    expect(timePerOutputToken.p50Nanoseconds).toBeGreaterThanOrEqual(20_000);
    expect(endToEnd.p50Nanoseconds).toBeGreaterThan(10 * timePerOutputToken.p50Nanoseconds * 0.99);
    expect(endToEnd.meanNanoseconds).toBeGreaterThan(timeToFirstToken.meanNanoseconds);
  });

  it("are told to observers generation by generation, before the caller learns of the end", async () => {
    const reports: GenerationReport[] = [];
    await using runtime = await createRuntime({
      model,
      observers: [{ generationEnded: (report) => void reports.push(report) }],
    });
    await runtime.generateStream([7], () => undefined, { maxTokens: 4, clientId: "me" });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      model: "paced",
      clientId: "me",
      mode: "stream",
      finishReason: "length",
      errorCode: undefined,
      promptTokens: 1,
      cachedTokens: 0,
      completionTokens: 4,
    });
    await expect(runtime.generate("throw at 1", endless)).rejects.toThrow("commanded");
    expect(reports[1]).toMatchObject({
      mode: "collect",
      finishReason: undefined,
      errorCode: "ENGINE_FAILED",
      timeToFirstTokenMilliseconds: undefined,
    });
  });

  it("survive an observer that throws, of which the process is warned", async () => {
    await using runtime = await createRuntime({
      model,
      observers: [
        {
          generationEnded: () => {
            throw new Error("no thanks");
          },
        },
      ],
    });
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    expect((await runtime.generate([1], { maxTokens: 2 })).ids).toEqual([2, 3]);
    expect(await warned).toMatchObject({
      message: expect.stringContaining("no thanks") as string,
      code: "STREAMGAUGE_OBSERVER",
    });
  });
});
