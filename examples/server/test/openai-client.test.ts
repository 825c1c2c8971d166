import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGenerator, createTokenQueue } from "@streamgauge/core";
import { createRuntime, embeddedModel, pacedModel } from "@streamgauge/runtime";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { serve, type Served } from "./serve.js";

const prompt = "It is not down in any map;";
const sampling = { temperature: 0.8, top_p: 0.95, max_tokens: 40 };
const paced = pacedModel({ stepMicroseconds: 200 });

async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => error,
  );
}

describe("the embedded model through OpenAI's client", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ workers: 2 });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  const reference = (seed: number) =>
    served.runtime.generate(prompt, { temperature: 0.8, topP: 0.95, maxTokens: 40, seed });

  it("completes as the runtime does", async () => {
    const { client, model } = served;
    const expected = await reference(1851);
    const answer = await client.completions.create({ model, prompt, seed: 1851, ...sampling });
    expect(answer.choices).toEqual([
      {
        index: 0,
        text: expected.text,
        logprobs: null,
        finish_reason: "length",
        native_finish_reason: "length",
      },
    ]);
    // The prompt was the reference's too: all but its last token need not be run again.
    const { promptTokens, completionTokens } = expected.usage;
    expect(answer.usage).toEqual({
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: promptTokens - 1 },
    });
    expect(answer).toMatchObject({ object: "text_completion", model });
  });

  it("penalises, biases and ends at texts as the runtime does", async () => {
    const { client, model, runtime } = served;
    const expected = await runtime.generate(prompt, {
      maxTokens: 40,
      presencePenalty: 0.5,
      frequencyPenalty: 1.5,
      logitBias: { 260: -100 },
      stop: [", and", "never made"],
    });
    expect(expected.finishReason).toBe("stop");
    const body = {
      model,
      temperature: 0,
      max_tokens: 40,
      presence_penalty: 0.5,
      frequency_penalty: 1.5,
      logit_bias: { "260": -100 },
      stop: [", and", "never made"],
    };
    const answer = await client.completions.create({ ...body, prompt });
    expect(answer.choices[0]).toMatchObject({ text: expected.text, finish_reason: "stop" });
    const messages = [{ role: "user" as const, content: prompt }];
    const stream = await client.chat.completions.create({ ...body, messages, stream: true });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe(expected.text);
  });

  it("takes token ids", async () => {
    const { client, model, runtime } = served;
    const expected = await runtime.generate([1, 2, 3], { maxTokens: 10 });
    const answer = await client.completions.create({
      model,
      prompt: [1, 2, 3],
      temperature: 0,
      max_tokens: 10,
    });
    expect(answer.choices[0]?.text).toBe(expected.text);
    expect(answer.usage?.prompt_tokens).toBe(3);
  });

  it("streams completions", async () => {
    const { client, model } = served;
    const expected = await reference(7);
    const stream = await client.completions.create({
      model,
      prompt,
      seed: 7,
      stream: true,
      stream_options: { include_usage: true },
      ...sampling,
    });
    const chunks: OpenAI.Completion[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.map(({ choices }) => choices[0]?.text ?? "").join("")).toBe(expected.text);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("length");
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        completion_tokens: expected.usage.completionTokens,
        prompt_tokens_details: { cached_tokens: expected.usage.promptTokens - 1 },
      },
    });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("streams chats, and gives the same text whole", async () => {
    const { client, model } = served;
    const expected = await reference(23);
    const chat = {
      model,
      messages: [{ role: "user" as const, content: prompt }],
      seed: 23,
      temperature: 0.8,
      top_p: 0.95,
      max_completion_tokens: 40,
    };
    const stream = await client.chat.completions.create({ ...chat, stream: true });
    let text = "";
    const roles: string[] = [];
    for await (const { choices } of stream) {
      const delta = choices[0]?.delta;
      text += delta?.content ?? "";
      if (delta?.role !== undefined) roles.push(`${delta.role} with ${delta.content ?? "nothing"}`);
    }
    expect(text).toBe(expected.text);
    const firstPiece = expected.text.slice(0, (roles[0] ?? "").length - "assistant with ".length);
    expect(firstPiece).not.toBe("");
    expect(roles).toEqual([`assistant with ${firstPiece}`]);
    const whole = await client.chat.completions.create(chat);
    expect(whole.choices[0]?.message).toEqual({
      role: "assistant",
      content: expected.text,
      refusal: null,
    });
  });

  it("joins the messages of a chat, and takes its own answers back", async () => {
    const { client, model, runtime } = served;
    const expected = await runtime.generate("one\ntwo\nthree", { maxTokens: 8 });
    const answer = await client.chat.completions.create({
      model,
      messages: [
        { role: "system", content: "one" },
        { role: "assistant", content: "two", refusal: null },
        { role: "user", content: [{ type: "text", text: "three" }] },
      ],
      temperature: 0,
      max_tokens: 8,
    });
    expect(answer.choices[0]?.message.content).toBe(expected.text);
  });

  it("has chats written down by the model's own template where it has one", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "streamgauge-"));
    onTestFinished(() => rm(temporary, { recursive: true }));
    const folder = join(temporary, "chat-model");
    await cp(embeddedModel, folder, { recursive: true });
    const template =
      "{% for m in messages %}{% if m.role == 'user' and loop.first %}" +
      "{{ raise_exception('Begin with the system.') }}{% endif %}" +
      "{{ m.role ~ ': ' ~ m.content ~ '\n' }}{% endfor %}assistant:";
    await writeFile(join(folder, "chat_template.jinja"), template);
    await using own = await serve({ model: folder });
    const settings = { model: own.model, temperature: 0, max_tokens: 8 };
    const user = { role: "user" as const, content: "two" };
    const answer = await own.client.chat.completions.create({
      ...settings,
      messages: [{ role: "developer", content: "one" }, user],
    });
    const written = "system: one\nuser: two\nassistant:";
    const expected = await served.runtime.generate(written, { maxTokens: 8 });
    expect(answer.choices[0]?.message.content).toBe(expected.text);
    const failure = await rejection(
      own.client.chat.completions.create({ ...settings, messages: [user] }),
    );
    expect(failure).toMatchObject({
      status: 400,
      code: "INVALID_PROMPT",
      message: expect.stringMatching(/Begin with the system/) as string,
    });
    // Texts to be continued stay texts.
    const { choices } = await own.client.completions.create({ ...settings, prompt: written });
    expect(choices[0]?.text).toBe(expected.text);
  });

  it("samples as the model's makers recommend unless told otherwise", async () => {
    const { client, model, runtime } = served;
    const { recommendedSampling } = runtime.describe();
    expect(recommendedSampling.temperature).toBeGreaterThan(0);
    const expected = await runtime.generate(prompt, {
      ...recommendedSampling,
      maxTokens: 30,
      seed: 5,
    });
    const answer = await client.completions.create({ model, prompt, max_tokens: 30, seed: 5 });
    expect(answer.choices[0]?.text).toBe(expected.text);
  });

  it("serves many at once, each its own", async () => {
    const { client, model } = served;
    const seeds = Array.from({ length: 8 }, (_, index) => 100 + index);
    const texts = await Promise.all(
      seeds.map(async (seed) => {
        const stream = await client.completions.create({
          model,
          prompt,
          seed,
          stream: true,
          user: `client ${seed % 3}`,
          ...sampling,
        });
        let text = "";
        for await (const { choices } of stream) text += choices[0]?.text ?? "";
        return text;
      }),
    );
    const expected = await Promise.all(seeds.map(reference));
    expect(texts).toEqual(expected.map(({ text }) => text));
  });

  it("names its model", async () => {
    const { client, model } = served;
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toEqual([model]);
  });

  it("says that a prompt is longer than the context", async () => {
    const { client, model, runtime } = served;
    const long = Array<number>(runtime.describe().contextLength + 1).fill(5);
    for (const stream of [false, true]) {
      const error = await rejection(client.completions.create({ model, prompt: long, stream }));
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ code: "context_length_exceeded", param: "prompt" });
    }
  });
});

describe("what a request may not ask for", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ model: paced });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  /** Past the client's types, which know what is wrong. */
  const complete = (fields: object) =>
    served.client.post<OpenAI.Completion>("/completions", {
      body: { model: served.model, prompt: "go", max_tokens: 2, ...fields },
    });

  const chat = (fields: object) =>
    served.client.post<OpenAI.ChatCompletion>("/chat/completions", {
      body: {
        model: served.model,
        messages: [{ role: "user", content: "go" }],
        max_tokens: 2,
        ...fields,
      },
    });

  it.each<[string, object]>([
    ["n", { n: 2 }],
    ["stop", { stop: "" }],
    ["stop", { stop: Array.from({ length: 17 }, () => "x") }],
    ["logprobs", { logprobs: 0 }],
    ["echo", { echo: true }],
    ["suffix", { suffix: "end" }],
    ["presence_penalty", { presence_penalty: 2.5 }],
    ["frequency_penalty", { frequency_penalty: "high" }],
    ["logit_bias.5", { logit_bias: { "5": 101 } }],
    ["top_k", { top_k: 5 }],
    ["max_completion_tokens", { max_completion_tokens: 5 }],
    ["max_tokens", { max_tokens: 0 }],
    ["max_tokens", { max_tokens: "many" }],
    ["max_tokens", { max_tokens: 1.5 }],
    ["temperature", { temperature: -1 }],
    ["temperature", { temperature: 3 }],
    ["top_p", { top_p: 0 }],
    ["top_p", { top_p: 0.5, temperature: 0 }],
    ["seed", { seed: -1 }],
    ["prompt", { prompt: ["one", "two"] }],
    ["prompt", { prompt: [1.5] }],
    ["prompt", { prompt: null }],
    ["prompt", { prompt: "" }],
    ["stream", { stream: "yes" }],
    ["stream_options", { stream_options: { include_usage: true } }],
    ["stream_options.chunks", { stream: true, stream_options: { chunks: 1 } }],
    ["user", { user: 5 }],
    ["model", { model: 5 }],
  ])("completions refuse %s: %j", async (param, fields) => {
    const error = await rejection(complete(fields));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect((error as Error).message).toContain(param);
  });

  it.each<[string, object]>([
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }],
    ["response_format", { response_format: { type: "json_object" } }],
    ["logprobs", { logprobs: true }],
    ["max_tokens", { max_completion_tokens: 3 }],
    ["prompt", { prompt: "go" }],
    ["messages", { messages: [] }],
    ["messages[0].role", { messages: [{ role: "tool", content: "x" }] }],
    ["messages[0].content", { messages: [{ role: "user", content: 5 }] }],
    [
      "messages[0].content",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    ],
    [
      "messages[1].name",
      {
        messages: [
          { role: "user", content: "x" },
          { role: "user", content: "x", name: "y" },
        ],
      },
    ],
  ])("chats refuse %s: %j", async (param, fields) => {
    const error = await rejection(chat(fields));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param });
  });

  it("takes values that ask for nothing", async () => {
    const nothing = {
      n: 1,
      stop: null,
      logprobs: null,
      logit_bias: {},
      presence_penalty: 0,
      frequency_penalty: 0,
      temperature: 0,
      top_p: 1,
      seed: null,
      stream: null,
      stream_options: null,
    };
    const text = " 0 1";
    expect((await complete({ ...nothing, echo: false, best_of: 1 })).choices[0]?.text).toBe(text);
    const answer = await chat({
      ...nothing,
      tools: [],
      response_format: { type: "text" },
      logprobs: false,
      store: false,
    });
    expect(answer.choices[0]?.message.content).toBe(text);
  });

  it("knows no other model", async () => {
    const error = await rejection(complete({ model: "gpt-4" }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  });
});

describe("a client that stops listening", () => {
  it("stops the generation, and the worker is free", async () => {
    await using served = await serve({ model: paced, workers: 1 });
    const { client, model, runtime } = served;
    const stream = await client.completions.create({
      model,
      prompt: "go",
      max_tokens: 1_000_000,
      stream: true,
    });
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 5) break;
    // The only worker can take this because it is free again.
    const next = await client.completions.create({ model, prompt: "go", max_tokens: 3 });
    expect(next.choices[0]?.text).toBe(" 0 1 2");
    const { tokens, generations, active } = runtime.metrics();
    expect(active).toBe(0);
    expect(tokens.completion).toBeLessThan(100_000);
    expect(generations.finished).toEqual({ aborted: 1, length: 1 });
    expect(served.failures).toEqual([]);
  });

  it("stops a completion that is not streamed, and one that waits for its turn", async () => {
    await using served = await serve({ model: paced, workers: 1 });
    const { client, model, runtime } = served;
    const abort = new AbortController();
    const endless = { model, prompt: "go", max_tokens: 1_000_000 };
    const options = { signal: abort.signal };
    const outcomes = [
      rejection(client.completions.create(endless, options)),
      rejection(client.completions.create(endless, options)),
      rejection(client.completions.create({ ...endless, stream: true }, options)),
    ];
    await untilHolds(() => runtime.metrics().active === 1 && runtime.metrics().queued === 2);
    abort.abort();
    for (const error of await Promise.all(outcomes)) {
      expect(error).toBeInstanceOf(OpenAI.APIUserAbortError);
    }
    await client.completions.create({ model, prompt: "go", max_tokens: 3 });
    expect(runtime.metrics()).toMatchObject({
      active: 0,
      queued: 0,
      generations: { finished: { aborted: 3, length: 1 } },
    });
    expect(served.failures).toEqual([]);
  });
});

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
          sink.push({
            index,
            id: index,
            text: "a",
            endOfSequence: false,
            logprob: undefined,
            producedAtMilliseconds: undefined,
          });
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

/** Gives the event loop turns until something holds; the test's time-out ends what never does. */
async function untilHolds(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
