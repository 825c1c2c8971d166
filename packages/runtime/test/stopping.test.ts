import { isStreamgaugeError } from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  pacedModel,
  type Runtime,
} from "@streamgauge/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const endless = { maxTokens: 1_000_000 };
let runtime: Runtime;

beforeEach(async () => {
  runtime = await createRuntime({
    model: pacedModel({ stepMicroseconds: 20 }),
    ring: { capacity: 8 },
  });
});
afterEach(() => runtime.close());

/** The worker is free again when it can run something to its end. */
async function expectFreeWorker(): Promise<void> {
  expect((await runtime.generate("again", { maxTokens: 3 })).ids).toEqual([0, 1, 2]);
}

describe("stopping", () => {
  it("by returning false keeps that token and frees the worker", async () => {
    const result = await runtime.generateStream("go", ({ index }) => index < 9, endless);
    expect(result).toMatchObject({
      finishReason: "cancelled",
      ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    });
    await expectFreeWorker();
  });

  it("by leaving the loop keeps the tokens seen and frees the worker", async () => {
    const stream = runtime.generateStreamAsync("go", endless);
    for await (const { index } of stream) if (index === 4) break;
    expect(await stream.result).toMatchObject({ finishReason: "cancelled", ids: [0, 1, 2, 3, 4] });
    await expectFreeWorker();
  });

  it("by a signal ends all three modes", async () => {
    for (const mode of ["generate", "stream", "streamAsync"] as const) {
      const controller = new AbortController();
      const config = { ...endless, signal: controller.signal };
      const result =
        mode === "generate"
          ? runtime.generate("go", config)
          : mode === "stream"
            ? runtime.generateStream("go", () => undefined, config)
            : runtime.generateStreamAsync("go", config).result;
      // A generation that has begun and one that has not are both stopped.
      if (mode !== "stream") await runtime.memory();
      controller.abort();
      expect((await result).finishReason).toBe("aborted");
    }
    await expectFreeWorker();
  });

  it("counts what was made, also what nobody read", async () => {
    const stopped = await runtime.generateStream("go", ({ index }) => index < 9, endless);
    const { completionTokens, producedTokens } = stopped.usage;
    expect(completionTokens).toBe(10);
    expect(producedTokens).toBeGreaterThanOrEqual(10);
    // The ring bounds how far ahead the producer is; one more token waits for room.
    expect(producedTokens).toBeLessThanOrEqual(10 + 8 + 1);
    const whole = await runtime.generate("go", { maxTokens: 12 });
    expect(whole.usage).toMatchObject({ completionTokens: 12, producedTokens: 12 });
  });

  it("settles a queued generation at once", async () => {
    const stream = runtime.generateStreamAsync("go", endless);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const controller = new AbortController();
    const queued = runtime.generate("later", { ...endless, signal: controller.signal });
    controller.abort();
    expect(await queued).toMatchObject({
      finishReason: "aborted",
      ids: [],
      usage: { producedTokens: 0 },
    });
    await iterator.return?.();
    await expectFreeWorker();
  });

  it("settles a queued generation at once also where one thread does everything", async () => {
    await using inline = await createInlineGenerator({
      model: pacedModel({ stepMicroseconds: 0 }),
    });
    // Nobody reads on: this one waits for room, and holds those behind it up.
    const first = inline.generateStreamAsync("go", endless)[Symbol.asyncIterator]();
    await first.next();
    const streamed = inline.generateStreamAsync("later", endless);
    await streamed[Symbol.asyncIterator]().return();
    const controller = new AbortController();
    const collected = inline.generate("later", { ...endless, signal: controller.signal });
    controller.abort();
    const nothing = { ids: [], usage: { promptTokens: 0, producedTokens: 0 } };
    expect(await streamed.result).toMatchObject({ ...nothing, finishReason: "cancelled" });
    expect(await collected).toMatchObject({ ...nothing, finishReason: "aborted" });
    await first.return();
    expect((await inline.generate("again", { maxTokens: 3 })).ids).toEqual([0, 1, 2]);
  });

  it("by a callback that throws leaves other streams alone", async () => {
    await using two = await createRuntime({
      model: pacedModel({ stepMicroseconds: 20 }),
      workers: 2,
    });
    const [failed, fine] = await Promise.allSettled([
      two.generateStream(
        "bad",
        ({ index }) => {
          if (index === 5) throw new Error("no thanks");
        },
        endless,
      ),
      two.generateStream("good", () => undefined, { maxTokens: 500 }),
    ]);
    expect(failed).toMatchObject({
      status: "rejected",
      reason: { code: "CALLBACK_FAILED", partial: { ids: [0, 1, 2, 3, 4, 5] } },
    });
    expect(fine).toMatchObject({ status: "fulfilled", value: { finishReason: "length" } });
    expect((await two.generate("again", { maxTokens: 2 })).ids).toEqual([0, 1]);
  });

  it("by closing ends running generations with what they have", async () => {
    const stream = runtime.generateStreamAsync("go", endless);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await runtime.close();
    expect(await stream.result).toMatchObject({ finishReason: "closed", ids: [0] });
    await runtime.close();
  });

  it("by closing ends streams that are made and not read, in a worker and inline", async () => {
    const inline = await createInlineGenerator({ model: pacedModel({ stepMicroseconds: 20 }) });
    for (const generator of [runtime, inline]) {
      const stream = generator.generateStreamAsync("go", { maxTokens: 4 });
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      // The one engine takes turns: what is made after this was called later.
      await generator.generate("again", { maxTokens: 1 });
      await generator.close();
      expect(await stream.result).toMatchObject({
        finishReason: "closed",
        ids: [0],
        usage: { producedTokens: 4 },
      });
      expect(await iterator.next()).toMatchObject({ done: true });
    }
  });

  it("refuses calls after closing", async () => {
    await runtime.close();
    const stream = runtime.generateStreamAsync("go");
    const errors = await Promise.all(
      [
        runtime.generate("go"),
        runtime.generateStream("go", () => undefined),
        stream.result,
        runtime.memory(),
      ].map((call) =>
        call.then(
          () => "settled",
          (error: unknown) => isStreamgaugeError(error) && error.code,
        ),
      ),
    );
    expect(errors).toEqual(["CLOSED", "CLOSED", "CLOSED", "CLOSED"]);
  });

  it("makes the worker wait for a consumer that does not read", async () => {
    const stream = runtime.generateStreamAsync("go", endless);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    // The worker answers control calls while it waits for room in the ring.
    for (let call = 0; call < 5; call++) await runtime.memory();
    const { value } = await iterator.next();
    expect(value?.index).toBe(1);
    await iterator.return?.();
    await expectFreeWorker();
  });
});
