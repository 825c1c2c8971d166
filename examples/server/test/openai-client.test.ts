import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModel, pacedModel } from "@streamgauge/runtime";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { rejection, serve, untilHolds, type Served } from "./serve.js";

const prompt = "It is not down in any map;";

/** As the embedded model's template writes messages down. */
const asParagraphs = (...messages: string[]): string =>
  messages.map((text) => `${text}\n\n`).join("");
const sampling = { temperature: 0.8, top_p: 0.95, max_tokens: 40 };
const paced = pacedModel({ stepMicroseconds: 200 });

describe("the embedded model through OpenAI's client", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ workers: 2 });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  const reference = (seed: number, text = prompt) =>
    served.runtime.generate(text, { temperature: 0.8, topP: 0.95, maxTokens: 40, seed });

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
    const config = {
      maxTokens: 40,
      presencePenalty: 0.5,
      frequencyPenalty: 1.5,
      logitBias: { 260: -100 },
      stop: [", and", "never made"],
    };
    const expected = await runtime.generate(prompt, config);
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
    const answered = await runtime.generate({ messages }, config);
    const stream = await client.chat.completions.create({ ...body, messages, stream: true });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe(answered.text);
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
    const expected = await reference(23, asParagraphs(prompt));
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

  it("makes the messages of a chat paragraphs, and takes its own answers back", async () => {
    const { client, model, runtime } = served;
    const expected = await runtime.generate(asParagraphs("one", "two", "three"), {
      maxTokens: 8,
    });
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

  it("takes special tokens in messages for text, and in prompts for the tokens", async () => {
    const { runtime, model } = served;
    const special = "Call me<|endoftext|>Ishmael";
    const chatOf = async ({ client }: Served) =>
      await client.chat.completions.create({
        model,
        messages: [{ role: "user", content: special }],
        temperature: 0,
        max_tokens: 8,
      });
    const written = asParagraphs(special);
    const plain = await runtime.generate(written, { maxTokens: 8, plainPrompt: true });
    const token = await runtime.generate(written, { maxTokens: 8 });
    expect(plain.usage.promptTokens).toBeGreaterThan(token.usage.promptTokens);
    const chat = await chatOf(served);
    expect(chat.choices[0]?.message.content).toBe(plain.text);
    expect(chat.usage?.prompt_tokens).toBe(plain.usage.promptTokens);
    const options = { model, prompt: written, temperature: 0, max_tokens: 8 };
    const prompted = await served.client.completions.create(options);
    expect(prompted.usage?.prompt_tokens).toBe(token.usage.promptTokens);
    await using trusting = await serve({}, { specialTokensInMessages: true });
    expect((await chatOf(trusting)).usage?.prompt_tokens).toBe(token.usage.promptTokens);
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
    const expected = await Promise.all(seeds.map((seed) => reference(seed)));
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
