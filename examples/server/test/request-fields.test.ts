import type { GenerationConfig } from "@streamgauge/core";
import { createRuntime, pacedModel } from "@streamgauge/runtime";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejection, serve, type Served } from "./serve.js";

const paced = pacedModel({ stepMicroseconds: 200 });

describe("what a request may and may not ask for", () => {
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
    ["top_k", { top_k: -2 }],
    ["top_k", { top_k: 5, temperature: 0 }],
    ["min_p", { min_p: 0.1, temperature: 0 }],
    ["min_p", { min_p: 1.5 }],
    ["typical_p", { typical_p: 0 }],
    ["repetition_penalty", { repetition_penalty: 0 }],
    ["min_tokens", { min_tokens: 3 }],
    ["min_tokens", { min_tokens: -1 }],
    ["ignore_eos", { ignore_eos: "yes" }],
    ["stop_token_ids[0]", { stop_token_ids: ["x"] }],
    ["length_penalty", { length_penalty: 0.5 }],
    ["use_beam_search", { use_beam_search: true }],
    ["guided_json", { guided_json: {} }],
    ["logit_bias.constructor", { logit_bias: { constructor: 5 } }],
    ["logit_bias.__proto__", { logit_bias: JSON.parse('{"__proto__": 5}') as object }],
    ["logit_bias.toString", { logit_bias: { toString: -5 } }],
    ["logit_bias.007", { logit_bias: { "007": 5 } }],
    ["logit_bias.4294967296", { logit_bias: { "4294967296": 5 } }],
    ["logit_bias", { logit_bias: [5] }],
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
    ["prompt", { prompt: [[]] }],
    ["prompt", { prompt: [["one"]] }],
    ["prompt", { prompt: null }],
    ["prompt", { prompt: "" }],
    ["stream", { stream: "yes" }],
    ["stream_options", { stream_options: { include_usage: true } }],
    ["stream_options.chunks", { stream: true, stream_options: { chunks: 1 } }],
    [
      "stream_options.continuous_usage_stats",
      { stream: true, stream_options: { continuous_usage_stats: true } },
    ],
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
      "messages[0].tool_calls",
      { messages: [{ role: "assistant", content: "x", tool_calls: [{ id: "1" }] }] },
    ],
    ["messages[0].content", { messages: [{ role: "assistant", content: null }] }],
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

  const text = " 0 1";

  it.each<[string, object]>([
    [
      "OpenAI's",
      {
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
        echo: false,
        best_of: 1,
      },
    ],
    [
      "vLLM's",
      {
        repetition_penalty: 1.0,
        top_k: -1,
        min_p: 0,
        typical_p: 1,
        min_tokens: 0,
        ignore_eos: false,
        stop_token_ids: [],
        no_repeat_ngram_size: 0,
        length_penalty: 1.0,
        use_beam_search: false,
        skip_special_tokens: true,
        spaces_between_special_tokens: true,
        include_stop_str_in_output: false,
        truncate_prompt_tokens: null,
        prompt_logprobs: null,
        priority: 0,
      },
    ],
    ["top_k at temperature 0", { temperature: 0, top_k: 1 }],
    ["stream_options", { stream_options: { include_usage: false } }],
    ["seeds", { seed: 4_294_967_295 }],
    ["min_tokens beside ignore_eos", { min_tokens: 2, ignore_eos: true }],
    ["a prompt in an array", { prompt: ["go"] }],
    ["an array with one prompt of ids", { prompt: [[5, 999]] }],
  ])("takes values that ask for nothing: %s", async (_, fields) => {
    expect((await complete(fields)).choices[0]?.text).toBe(text);
  });

  it("takes what asks for nothing in chats, and in their messages", async () => {
    const answer = await chat({
      tools: [],
      tool_choice: "auto",
      response_format: { type: "text" },
      logprobs: false,
      store: false,
      metadata: {},
      chat_template_kwargs: {},
      messages: [
        {
          role: "assistant",
          content: "x",
          refusal: null,
          annotations: [],
          audio: null,
          function_call: null,
          tool_calls: null,
          reasoning_content: null,
        },
        { role: "user", content: [{ type: "text", text: "go", cache_control: null }], name: null },
        { role: "assistant", content: "x", tool_calls: [] },
      ],
    });
    expect(answer.choices[0]?.message.content).toBe(text);
  });

  it("tells of its one model by name, and of no other", async () => {
    const { client, model } = served;
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: "model" });
    for (const other of ["gpt-4", "a/b", "%E0%A4%A", "__proto__", "constructor"]) {
      const error = await rejection(client.get(`/models/${other}`));
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: "model_not_found", param: "model" });
    }
  });

  it("knows no other model", async () => {
    const error = await rejection(complete({ model: "gpt-4" }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  });
});

describe("what the engine can do and OpenAI's interface has no name for", () => {
  const prompt = "It is not down in any map;";
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served[Symbol.asyncDispose]());

  const complete = (fields: object) =>
    served.client.post<OpenAI.Completion>("/completions", {
      body: { model: served.model, prompt, max_tokens: 20, seed: 7, ...fields },
    });

  it.each<[object, GenerationConfig]>([
    [{ top_k: 5 }, { temperature: 1, topK: 5 }],
    [{ min_p: 0.2 }, { temperature: 1, minP: 0.2 }],
    [
      { typical_p: 0.4, temperature: 0.9 },
      { temperature: 0.9, typicalP: 0.4 },
    ],
    [
      { top_k: 40, top_p: 0.9, temperature: 0.7 },
      { temperature: 0.7, topK: 40, topP: 0.9 },
    ],
    [
      { repetition_penalty: 1.3, temperature: 0 },
      { temperature: 0, repetitionPenalty: 1.3 },
    ],
    [
      { no_repeat_ngram_size: 2, temperature: 0 },
      { temperature: 0, noRepeatNgramSize: 2 },
    ],
    [
      { min_tokens: 12, stop: " the", temperature: 0 },
      { temperature: 0, minTokens: 12, stop: " the" },
    ],
    [
      { stop_token_ids: [260], temperature: 0 },
      { temperature: 0, stopTokenIds: [260] },
    ],
    [
      { ignore_eos: true, temperature: 0, logit_bias: { "0": 100 } },
      { temperature: 0, ignoreEos: true, logitBias: { 0: 100 } },
    ],
  ])("%j is honoured", async (fields, config) => {
    const expected = await served.runtime.generate(prompt, { maxTokens: 20, seed: 7, ...config });
    const answer = await complete(fields);
    expect(answer.choices[0]?.text).toBe(expected.text);
    expect(answer.usage?.completion_tokens).toBe(expected.usage.completionTokens);
  });

  it("takes an option out of the makers' advice by the value that turns it off", async () => {
    const runtime = await createRuntime();
    const recommendedSampling = { temperature: 0.8, topK: 2, minP: 0.5, repetitionPenalty: 1.4 };
    const described = { ...runtime.describe(), recommendedSampling };
    await using own = await serve({}, { runtime: { ...runtime, describe: () => described } });
    const body = { model: own.model, prompt, max_tokens: 20, seed: 7 };
    const answer = await own.client.post<OpenAI.Completion>("/completions", {
      body: { ...body, top_k: -1, repetition_penalty: 1 },
    });
    const config = { temperature: 0.8, minP: 0.5, maxTokens: 20, seed: 7 };
    const expected = await runtime.generate(prompt, config);
    expect(answer.choices[0]?.text).toBe(expected.text);
  });
});
