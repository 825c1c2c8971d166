import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { isStreamgaugeError, type GenerationConfig, type Prompt } from "@streamgauge/core";
import { createRuntime, embeddedModel, pacedModel, type Runtime } from "@streamgauge/runtime";
import { createLanguageModel, type PromptMessage } from "@streamgauge/runtime/ai-sdk";
import { experimental_streamTextLowMemory, generateText, streamText } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const prompt = "It is not down in any map;";
/** As the embedded model's template writes it down. */
const written = `${prompt}\n\n`;
const asked: LanguageModelV4Prompt = [{ role: "user", content: [{ type: "text", text: prompt }] }];

async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => error,
  );
}

describe("the AI SDK over the embedded model", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    // Each call runs its whole prompt, so that usage is the same.
    runtime = await createRuntime({ prefixReuse: false });
  });
  afterAll(() => runtime.close());

  const calls: [string, object, GenerationConfig][] = [
    ["greedy", { maxOutputTokens: 40 }, { maxTokens: 40 }],
    [
      "sampled",
      { maxOutputTokens: 40, temperature: 0.9, topK: 50, topP: 0.95, seed: 1851 },
      { maxTokens: 40, temperature: 0.9, topK: 50, topP: 0.95, seed: 1851 },
    ],
    [
      "with options of ours",
      { maxOutputTokens: 40, providerOptions: { streamgauge: { stopTokenIds: [14] } } },
      { maxTokens: 40, stopTokenIds: [14] },
    ],
    [
      "penalised, until a text",
      { presencePenalty: 0.5, frequencyPenalty: 1.5, stopSequences: [", and", "never made"] },
      { presencePenalty: 0.5, frequencyPenalty: 1.5, stop: [", and", "never made"] },
    ],
    [
      "with sampling of ours",
      {
        temperature: 0.9,
        seed: 7,
        maxOutputTokens: 40,
        providerOptions: {
          streamgauge: {
            minP: 0.05,
            typicalP: 0.95,
            repetitionPenalty: 1.2,
            logitBias: { "260": -5 },
            noRepeatNgramSize: 3,
            minTokens: 20,
          },
        },
      },
      {
        temperature: 0.9,
        seed: 7,
        maxTokens: 40,
        minP: 0.05,
        typicalP: 0.95,
        repetitionPenalty: 1.2,
        logitBias: { 260: -5 },
        noRepeatNgramSize: 3,
        minTokens: 20,
      },
    ],
  ];

  it.each(calls)("gives what the runtime gives: %s", async (_, settings, config) => {
    const model = createLanguageModel(runtime);
    const expected = await runtime.generate(written, config);
    const { promptTokens, completionTokens } = expected.usage;
    const whole = await generateText({ model, prompt, ...settings });
    const streamed = streamText({ model, prompt, ...settings });
    const pieces: string[] = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("")).toBe(expected.text);
    for (const answer of [whole, streamed]) {
      expect(await answer.text).toBe(expected.text);
      expect(await answer.rawFinishReason).toBe(expected.finishReason);
      expect(await answer.finishReason).toBe(
        expected.finishReason === "length" ? "length" : "stop",
      );
      expect(await answer.usage).toMatchObject({
        inputTokens: promptTokens,
        outputTokens: completionTokens,
        totalTokens: promptTokens + completionTokens,
        raw: expected.usage,
      });
      expect(await answer.response).toMatchObject({ modelId: "pequod" });
      expect(await answer.warnings).toEqual([]);
    }
  });

  it("says how much of a prompt was in a cache", async () => {
    await using own = await createRuntime();
    const model = createLanguageModel(own);
    const first = await generateText({ model, prompt, maxOutputTokens: 3 });
    const again = await generateText({ model, prompt, maxOutputTokens: 3 });
    const { inputTokens = 0 } = first.usage;
    expect(first.usage.inputTokenDetails.cacheReadTokens).toBe(0);
    expect(again.usage.inputTokenDetails).toMatchObject({
      cacheReadTokens: inputTokens - 1,
      noCacheTokens: 1,
    });
  });

  it("streams the parts that the SDK's contract asks for, in its order", async () => {
    const { stream } = await createLanguageModel(runtime).doStream({
      prompt: asked,
      maxOutputTokens: 12,
    });
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) parts.push(part);
    const expected = await runtime.generate(written, { maxTokens: 12 });
    const deltas = parts.filter((part) => part.type === "text-delta");
    expect(deltas.map(({ delta }) => delta).join("")).toBe(expected.text);
    expect(new Set(deltas.map(({ id }) => id))).toEqual(new Set(["0"]));
    expect(parts.filter((part) => part.type !== "text-delta")).toEqual([
      { type: "stream-start", warnings: [] },
      {
        type: "response-metadata",
        id: expect.any(String) as string,
        timestamp: expect.any(Date) as Date,
        modelId: "pequod",
      },
      { type: "text-start", id: "0" },
      { type: "text-end", id: "0" },
      {
        type: "finish",
        finishReason: { unified: "length", raw: "length" },
        usage: {
          inputTokens: {
            total: expected.usage.promptTokens,
            noCache: expected.usage.promptTokens,
            cacheRead: 0,
            cacheWrite: 0,
          },
          outputTokens: { total: 12, text: 12, reasoning: 0 },
          raw: expected.usage,
        },
        providerMetadata: {
          streamgauge: { timings: expect.objectContaining({}) as Record<string, number> },
        },
      },
    ]);
    expect(parts.slice(0, 3).map(({ type }) => type)).not.toContain("text-delta");
  });

  it("says that the end-of-sequence token is a stop", async () => {
    const { finishReason, rawFinishReason } = await generateText({
      model: createLanguageModel(runtime),
      prompt,
      maxOutputTokens: 900,
      temperature: 1,
      seed: 3,
    });
    expect([finishReason, rawFinishReason]).toEqual(["stop", "eos"]);
  });

  it("joins a conversation plainly without a template, or renders it as it is told", async () => {
    const folder = join(await temporaryFolder(), "no-chat-model");
    await cp(embeddedModel, folder, { recursive: true });
    await writeFile(join(folder, "tokenizer_config.json"), "{}");
    await using own = await createRuntime({ model: folder });
    const messages = [
      { role: "user" as const, content: [{ type: "text" as const, text: "Call me" }] },
      { role: "assistant" as const, content: "Ishmael." },
      { role: "user" as const, content: "Why?" },
    ];
    const settings = { instructions: "Be brief.", messages, maxOutputTokens: 8 };
    const plain = await generateText({ model: createLanguageModel(own), ...settings });
    const joined = "Be brief.\n\nCall me\n\nIshmael.\n\nWhy?";
    expect(plain.text).toBe((await runtime.generate(joined, { maxTokens: 8 })).text);

    const seen: PromptMessage[][] = [];
    const ids: Prompt = [5, 6, 7, 8];
    const model = createLanguageModel(runtime, {
      renderPrompt: (conversation) => {
        seen.push([...conversation]);
        return Promise.resolve(ids);
      },
    });
    const rendered = await generateText({ model, ...settings });
    expect(rendered.text).toBe((await runtime.generate(ids, { maxTokens: 8 })).text);
    expect(seen).toEqual([
      [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Call me" },
        { role: "assistant", content: "Ishmael." },
        { role: "user", content: "Why?" },
      ],
    ]);
  });

  it("leaves a conversation to the model's own template, unless it is told otherwise", async () => {
    const folder = join(await temporaryFolder(), "chat-model");
    await cp(embeddedModel, folder, { recursive: true });
    const template = "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\n' }}{% endfor %}A:";
    await writeFile(join(folder, "chat_template.jinja"), template);
    await using own = await createRuntime({ model: folder });
    const messages = [
      { role: "user" as const, content: "Call me" },
      { role: "assistant" as const, content: "Ishmael." },
      { role: "user" as const, content: "Why?" },
    ];
    const settings = { instructions: "Be brief.", messages, maxOutputTokens: 8 };
    const { text } = await generateText({ model: createLanguageModel(own), ...settings });
    const rendered = "system: Be brief.\nuser: Call me\nassistant: Ishmael.\nuser: Why?\nA:";
    expect(text).toBe((await runtime.generate(rendered, { maxTokens: 8 })).text);
    const told = createLanguageModel(own, { renderPrompt: () => "Call me" });
    const { text: other } = await generateText({ model: told, ...settings });
    expect(other).toBe((await runtime.generate("Call me", { maxTokens: 8 })).text);
  });

  it("takes its defaults where a call says nothing", async () => {
    const model = createLanguageModel(runtime, {
      modelId: "mine",
      defaults: { maxTokens: 9, temperature: 0.8, topP: 0.95 },
    });
    expect(model).toMatchObject({ provider: "streamgauge", modelId: "mine" });
    const sampled = await generateText({ model, prompt, seed: 7 });
    const expected = { maxTokens: 9, temperature: 0.8, topP: 0.95, seed: 7 };
    expect(sampled.text).toBe((await runtime.generate(written, expected)).text);
    // Not the default top-p beside temperature 0, which would be refused.
    const greedy = await generateText({ model, prompt, temperature: 0 });
    expect(greedy.text).toBe((await runtime.generate(written, { maxTokens: 9 })).text);
  });

  it.each<[string, Partial<LanguageModelV4CallOptions>, string, RegExp]>([
    ["empty stop sequences", { stopSequences: [""] }, "INVALID_CONFIG", /"stop"/],
    ["a penalty out of range", { presencePenalty: 3 }, "INVALID_CONFIG", /"presencePenalty" is 3/],
    [
      "tools",
      { tools: [{ type: "function", name: "now", inputSchema: { type: "object" } }] },
      "INVALID_CONFIG",
      /"tools"/,
    ],
    ["toolChoice", { toolChoice: { type: "required" } }, "INVALID_CONFIG", /"toolChoice"/],
    ["JSON", { responseFormat: { type: "json" } }, "INVALID_CONFIG", /"responseFormat".*text/],
    ["reasoning", { reasoning: "high" }, "INVALID_CONFIG", /"reasoning"/],
    ["raw chunks", { includeRawChunks: true }, "INVALID_CONFIG", /"includeRawChunks"/],
    ["what is unknown", { logitBias: {} } as object, "INVALID_CONFIG", /"logitBias"/],
    ["a wrong seed", { seed: 1.5 }, "INVALID_CONFIG", /"seed" is 1.5/],
    [
      "an option that is not ours",
      { providerOptions: { streamgauge: { logprobs: true } } },
      "INVALID_CONFIG",
      /unknown option "logprobs".*stopTokenIds/,
    ],
    [
      "a file",
      {
        prompt: [
          {
            role: "user",
            content: [
              { type: "file", mediaType: "image/png", data: { type: "data", data: "iVBORw==" } },
            ],
          },
        ],
      },
      "INVALID_PROMPT",
      /Message 0.*image\/png/,
    ],
    ["no text", { prompt: [] }, "INVALID_PROMPT", /empty/],
  ])("refuses %s", async (_, settings, code, message) => {
    const model = createLanguageModel(runtime);
    const call = { prompt: asked, ...settings };
    const drain = async (): Promise<void> => {
      for await (const _part of (await model.doStream(call)).stream);
    };
    for (const error of [await rejection(model.doGenerate(call)), await rejection(drain())]) {
      expect(isStreamgaugeError(error) && error.code).toBe(code);
      expect((error as Error).message).toMatch(message);
    }
  });

  it("lets pass what asks for nothing, and the options of other providers", async () => {
    const { content } = await createLanguageModel(runtime).doGenerate({
      prompt: asked,
      maxOutputTokens: 3,
      stopSequences: [],
      presencePenalty: 0,
      frequencyPenalty: 0,
      tools: [],
      toolChoice: { type: "auto" },
      responseFormat: { type: "text" },
      reasoning: "none",
      includeRawChunks: false,
      headers: { "user-agent": "ai" },
      providerOptions: { another: { minP: 0.1 } },
    });
    expect(content).toEqual([
      { type: "text", text: (await runtime.generate(written, { maxTokens: 3 })).text },
    ]);
  });
});

describe("stopping through the AI SDK", () => {
  const endless = { prompt: "go", maxOutputTokens: 1_000_000 };
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({
      model: pacedModel({ stepMicroseconds: 20 }),
      ring: { capacity: 8 },
    });
  });
  afterAll(() => runtime.close());

  /** The one worker is free when it can run something to its end. */
  async function expectFreeWorker(): Promise<void> {
    expect((await runtime.generate("again", { maxTokens: 3 })).ids).toEqual([0, 1, 2]);
  }

  it("by its signal ends a stream with the part that says so", async () => {
    const controller = new AbortController();
    const model = createLanguageModel(runtime);
    const { fullStream } = streamText({ model, ...endless, abortSignal: controller.signal });
    const types: string[] = [];
    for await (const { type } of fullStream) {
      if (types.push(type) === 10) controller.abort();
    }
    expect(types.at(-1)).toBe("abort");
    await expectFreeWorker();
  });

  it("by its signal rejects a call with the signal's reason", async () => {
    const controller = new AbortController();
    const model = createLanguageModel(runtime);
    const answer = rejection(generateText({ model, ...endless, abortSignal: controller.signal }));
    await runtime.memory();
    controller.abort();
    expect(await answer).toMatchObject({ name: "AbortError" });
    const reason = new Error("changed my mind");
    const again = model.doGenerate({ prompt: asked, abortSignal: AbortSignal.abort(reason) });
    expect(await rejection(again)).toBe(reason);
    await expectFreeWorker();
  });

  it("by leaving a stream that has one consumer", async () => {
    const model = createLanguageModel(runtime);
    const { textStream } = experimental_streamTextLowMemory({ model, ...endless });
    const pieces: string[] = [];
    for await (const piece of textStream) if (pieces.push(piece) === 3) break;
    expect(pieces).toEqual([" 0", " 1", " 2"]);
    await expectFreeWorker();
  });

  it("by cancelling the model's stream, which resolves when the producer has stopped", async () => {
    const { stream } = await createLanguageModel(runtime).doStream({ prompt: asked });
    const reader = stream.getReader();
    for (let part = 0; part < 5; part++) await reader.read();
    const pending = reader.read();
    await reader.cancel();
    expect((await pending).done).toBe(true);
    await expectFreeWorker();
  });

  it("by dropping a stream that the SDK keeps for other consumers", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const leave = async (): Promise<void> => {
      const { textStream } = streamText({ model: createLanguageModel(runtime), ...endless });
      for await (const _ of textStream) break;
    };
    await leave();
    const free: string[] = [];
    const next = expectFreeWorker().then(() => free.push("free"));
    for (let pass = 0; pass < 200 && free.length === 0; pass++) {
      collectGarbage();
      await runtime.memory();
    }
    expect(free).toEqual(["free"]);
    await next;
  });

  it.each([
    ["a deadline", "deadline", { streamgauge: { deadlineMilliseconds: 10 } }],
    ["closing", "closed", {}],
  ])("by %s is an answer with what there is", async (_, raw, providerOptions) => {
    await using own = await createRuntime({ model: pacedModel({ stepMicroseconds: 20 }) });
    const answer = generateText({
      model: createLanguageModel(own),
      ...endless,
      providerOptions,
    });
    if (raw === "closed") {
      while (own.metrics().active === 0) await new Promise((resolve) => setImmediate(resolve));
      await own.close();
    }
    const { finishReason, rawFinishReason, usage } = await answer;
    expect([finishReason, rawFinishReason]).toEqual(["other", raw]);
    expect(usage.raw).toMatchObject({ completionTokens: usage.outputTokens });
  });

  it("is not what a failure looks like: that throws from the stream", async () => {
    const { textStream } = streamText({
      model: createLanguageModel(runtime),
      prompt: "go",
      temperature: 1,
    });
    const read = async (): Promise<void> => {
      for await (const _ of textStream);
    };
    expect(await rejection(read())).toMatchObject({ code: "INVALID_CONFIG" });
    await expectFreeWorker();
  });
});
