import { createGenerator, createTokenQueue } from "@streamgauge/core";
import { createRuntime, pacedModel } from "@streamgauge/runtime";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { plainToken } from "../../../packages/core/test/plain-token.js";
import { rejection, serve, untilHolds } from "./serve.js";

const paced = pacedModel({ stepMicroseconds: 200 });

describe("limits", () => {
  it("turns calls away when the queue is full, and says when to try again", async () => {
    await using served = await serve({ model: paced, workers: 1, maxQueue: 1 });
    const { client, model, runtime } = served;
    const abort = new AbortController();
    const endless = { model, prompt: "go", max_tokens: 1_000_000 };
    const waiting = [0, 1].map(() =>
      rejection(client.completions.create(endless, { signal: abort.signal })),
    );
    await untilHolds(() => runtime.metrics().active === 1 && runtime.metrics().queued === 1);
    for (const stream of [false, true]) {
      const error = await rejection(client.completions.create({ ...endless, stream }));
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      expect(error).toMatchObject({ code: "QUEUE_FULL", type: "rate_limit_error" });
      expect(
        Number((error as InstanceType<typeof OpenAI.RateLimitError>).headers.get("retry-after")),
      ).toBeGreaterThan(0);
    }
    abort.abort();
    await Promise.all(waiting);
  });

  it("cuts a completion short at the deadline", async () => {
    await using served = await serve({ model: paced }, { deadlineMilliseconds: 60 });
    const { client, model } = served;
    const endless = { model, prompt: "go", max_tokens: 1_000_000 };
    const whole = await client.completions.create(endless);
    const ending = { finish_reason: "length", native_finish_reason: "deadline" };
    expect(whole.choices[0]).toMatchObject(ending);
    const stream = await client.completions.create({ ...endless, stream: true });
    let last: unknown;
    for await (const { choices } of stream) last = choices[0];
    expect(last).toMatchObject(ending);
  });
});

describe("a failure of the engine", () => {
  /** A runtime whose generations fail at their `failAt`-th token. */
  async function failingRuntime(failAt: number) {
    const runtime = await createRuntime({ model: paced });
    const run = () =>
      createTokenQueue(async (sink) => {
        for (let index = 0; index < failAt; index++) {
          sink.push(plainToken(index, { text: "a" }));
        }
        throw new Error("out of oil");
      }, Infinity).source;
    const failing = createGenerator({
      collect: () => ({ stop: () => undefined, finished: Promise.reject(new Error("out of oil")) }),
      stream: run,
    });
    return { ...runtime, ...failing };
  }

  it("before the first token is an answer of its own", async () => {
    await using served = await serve({}, { runtime: await failingRuntime(0) });
    const { client, model } = served;
    for (const stream of [false, true]) {
      const error = await rejection(client.completions.create({ model, prompt: "go", stream }));
      expect(error).toBeInstanceOf(OpenAI.InternalServerError);
      expect(error).toMatchObject({ type: "server_error" });
    }
    expect(served.failures).toHaveLength(2);
  });

  it("in the middle of a stream reaches the client behind what there was", async () => {
    await using served = await serve({}, { runtime: await failingRuntime(2) });
    const { client, model } = served;
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: "user", content: "go" }],
      stream: true,
    });
    let text = "";
    const error = await rejection(
      (async () => {
        for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
      })(),
    );
    expect(text).toBe("aa");
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: "ENGINE_FAILED", type: "server_error" });
    expect(served.failures).toMatchObject([{ code: "ENGINE_FAILED" }]);
  });
});
