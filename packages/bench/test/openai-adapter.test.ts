import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isStreamgaugeError, type GenerationConfig, type Generator } from "@streamgauge/core";
import { defineScenario, runBench } from "@streamgauge/bench";
import { createOpenAIGenerator, type OpenAIOptions } from "@streamgauge/bench/adapters";
import { systemClock } from "../src/plan/clock.js";
import { inTemporaryFolder } from "./example-record.js";
import { measureCell } from "./measured-cell.js";
import {
  closeServers,
  delta,
  done,
  event,
  generatorOver,
  json,
  role,
  serve,
  stream,
  usage,
  type Script,
} from "./scripted-openai.js";
import { cellPlan } from "./plans.js";

const greeting = stream(
  role,
  ": keep-alive\n\n",
  delta({ content: "Call" }),
  delta({ content: " me" }),
  delta({ content: "" }),
  delta({ content: " Ishmael." }),
  delta({}, "stop"),
  usage(12, 5),
  done,
);

const wholeGreeting = json({
  choices: [{ index: 0, message: { content: "Call me Ishmael." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 12, completion_tokens: 5 },
});

async function textsOf(generator: Generator, config?: GenerationConfig): Promise<string[]> {
  const texts: string[] = [];
  await generator.generateStream("Hello", (token) => void texts.push(token.text), config);
  return texts;
}

describe("a conversation", () => {
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello" },
  ];

  it("is sent as it is to the endpoint for chats, in every mode", async () => {
    const { generator, requests } = await generatorOver((response, seen) =>
      (seen.body["stream"] === true ? greeting : wholeGreeting)(response, seen),
    );
    const whole = await generator.generate({ messages });
    const streamed = await generator.generateStream({ messages }, () => undefined);
    expect([whole.text, streamed.text]).toEqual(["Call me Ishmael.", "Call me Ishmael."]);
    expect(requests.map(({ body }) => body["messages"])).toEqual([messages, messages]);
  });

  it("is refused for the endpoint that continues texts, before anything is sent", async () => {
    const { generator, requests } = await generatorOver(greeting, { endpoint: "completions" });
    await expect(generator.generate({ messages })).rejects.toMatchObject({
      code: "INVALID_PROMPT",
      message: expect.stringMatching(/a conversation.*use the endpoint "chat"/) as string,
    });
    expect(requests).toEqual([]);
  });
});

describe("a streamed completion", () => {
  it("delivers the chunks that have text, and nothing else", async () => {
    const { generator } = await generatorOver(greeting);
    const tokens: unknown[] = [];
    const result = await generator.generateStream("Hello", (token) => void tokens.push(token));
    expect(tokens).toEqual(
      ["Call", " me", " Ishmael."].map((text, index) => ({
        index,
        id: index,
        text,
        endOfSequence: false,
        logprob: undefined,
        producedAtMilliseconds: undefined,
      })),
    );
    expect(result).toMatchObject({
      ids: [0, 1, 2],
      text: "Call me Ishmael.",
      logprobs: undefined,
      finishReason: "eos",
      // The server's: it counts tokens, we see chunks.
      usage: { promptTokens: 12, completionTokens: 5 },
    });
  });

  it("is the same as an async iterable, whose result can be waited for alone", async () => {
    const { generator } = await generatorOver(greeting);
    const iterated: string[] = [];
    const tokens = generator.generateStreamAsync("Hello");
    for await (const { text } of tokens) iterated.push(text);
    expect(iterated).toEqual(["Call", " me", " Ishmael."]);
    const alone = await generator.generateStreamAsync("Hello").result;
    for (const result of [await tokens.result, alone]) {
      expect(result).toMatchObject({
        text: "Call me Ishmael.",
        usage: { promptTokens: 12, completionTokens: 5 },
      });
    }
  });

  it("reads the endpoint completions", async () => {
    const text = (piece: string, finish: string | null = null): string =>
      event({ choices: [{ index: 0, text: piece, finish_reason: finish }] });
    const { generator, requests } = await generatorOver(
      stream(text("Call"), text(" me", "length"), usage(1, 2), done),
      { endpoint: "completions" },
    );
    const result = await generator.generateStream([5, 6], () => undefined);
    expect(result).toMatchObject({ text: "Call me", finishReason: "length", ids: [0, 1] });
    expect(requests[0]).toMatchObject({ url: "/v1/completions", body: { prompt: [5, 6] } });
  });

  it("counts what the model reasons in as text", async () => {
    const { generator } = await generatorOver(
      stream(
        role,
        delta({ reasoning_content: "Hm." }),
        delta({ content: null, reasoning: "So:" }),
        delta({ content: "Yes" }, "stop"),
        done,
      ),
    );
    expect(await textsOf(generator)).toEqual(["Hm.", "So:", "Yes"]);
  });

  it.each(["\n", "\r\n", "\r"])("survives the network with line ends %j", async (lineEnd) => {
    const whole = [
      ": hello",
      `data: ${JSON.stringify({ choices: [{ delta: { content: "🐋é" } }] })}`,
      "",
      'data: {"choices": [{"delta":',
      'data: {"content": "\\n"}, "finish_reason": "stop"}]}',
      "",
      "data: [DONE]",
      "",
      "",
    ].join(lineEnd);
    const { generator } = await generatorOver(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of Buffer.from(whole)) {
        response.write(Uint8Array.of(byte));
        await nextTurn();
      }
      response.end();
    });
    expect(await textsOf(generator)).toEqual(["🐋é", "\n"]);
  });

  it("delivers text while the server still works", async () => {
    let goOn = (): void => undefined;
    const received = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { generator } = await generatorOver(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(role + delta({ content: "first" }));
      // Without a delivered token this never ends.
      await received;
      response.end(delta({ content: "second" }, "length") + done);
    });
    const texts: string[] = [];
    await generator.generateStream("Hello", ({ text }) => {
      texts.push(text);
      goOn();
    });
    expect(texts).toEqual(["first", "second"]);
  });

  it("counts chunks where the server counts nothing", async () => {
    const parts = [delta({ content: "a" }), delta({ content: "b" }, "length"), done];
    const { generator } = await generatorOver(stream(...parts), { endpoint: "completions" });
    const ofText = await generator.generateStream("Hello", () => undefined);
    expect(ofText.usage).toEqual({ promptTokens: Number.NaN, completionTokens: 2 });
    const ofIds = await generator.generateStream([1, 2, 3], () => undefined);
    expect(ofIds.usage).toEqual({ promptTokens: 3, completionTokens: 2 });
  });

  it("is whole at [DONE], however the connection ends", async () => {
    let breakOff = (): void => undefined;
    const received = new Promise<void>((resolve) => {
      breakOff = resolve;
    });
    const { generator } = await generatorOver(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(delta({ content: "a" }, "stop") + done);
      await received;
      response.destroy();
    });
    const result = await generator.generateStream("Hello", () => breakOff());
    expect(result).toMatchObject({ text: "a", finishReason: "eos" });
  });

  it("leaves connections that the next requests use again", async () => {
    const ports = new Set<number | undefined>();
    const { generator } = await generatorOver(async (response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(delta({ content: "a" }, "stop") + done);
      // [DONE] arrives before the end of the response does.
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
      response.end();
    });
    for (let request = 0; request < 8; request += 1) await textsOf(generator);
    expect(ports.size).toBeLessThan(8);
  });
});

describe("generate()", () => {
  it("asks without streaming, and gives as many ids as the server counted", async () => {
    const { generator, requests } = await generatorOver(
      json({
        choices: [{ message: { role: "assistant", content: "Call me." }, finish_reason: "length" }],
        usage: { prompt_tokens: 4, completion_tokens: 3 },
      }),
    );
    expect(await generator.generate("Hello")).toMatchObject({
      ids: [0, 1, 2],
      text: "Call me.",
      finishReason: "length",
      usage: { promptTokens: 4, completionTokens: 3 },
    });
    expect(requests[0]?.body["stream"]).toBe(false);
    expect(requests[0]?.body).not.toHaveProperty("stream_options");
  });

  it.each([undefined, { prompt_tokens: 0, completion_tokens: 0 }])(
    "refuses an answer whose tokens cannot be counted, and keeps its text: %j",
    async (given) => {
      const choices = [{ message: { content: "Call me." }, finish_reason: "stop" }];
      const { generator } = await generatorOver(json({ choices, usage: given }));
      await expect(generator.generate("Hello")).rejects.toMatchObject({
        code: "ENGINE_FAILED",
        message: expect.stringContaining("usage.completion_tokens") as string,
        partial: { text: "Call me." },
      });
    },
  );
});

describe("the request", () => {
  it("has the options under their usual names", async () => {
    const { generator, requests } = await generatorOver(greeting, {
      apiKey: "secret",
      extensions: ["top_k"],
    });
    const config = {
      maxTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      presencePenalty: 0.25,
      frequencyPenalty: -1,
      seed: 3,
    };
    await generator.generateStream("Hello", () => undefined, config);
    expect(requests[0]).toMatchObject({
      url: "/v1/chat/completions",
      headers: { authorization: "Bearer secret", "content-type": "application/json" },
    });
    expect(requests[0]?.body).toEqual({
      model: "whale",
      messages: [{ role: "user", content: "Hello" }],
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      presence_penalty: 0.25,
      frequency_penalty: -1,
      seed: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("has no key where none was given, and goes through the given fetch", async () => {
    const asked: unknown[] = [];
    const { generator, requests } = await generatorOver(greeting, {
      fetch: async (input, init) => {
        asked.push(input);
        return await fetch(input, init);
      },
    });
    await textsOf(generator);
    expect(asked).toHaveLength(1);
    expect(requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it.each<[string, GenerationConfig, Partial<OpenAIOptions>]>([
    ["stopTokenIds", { stopTokenIds: [1] }, {}],
    ["logprobs", { logprobs: true }, {}],
    ["minP", { minP: 0.1, temperature: 1 }, {}],
    ["typicalP", { typicalP: 0.9, temperature: 1 }, {}],
    ["repetitionPenalty", { repetitionPenalty: 1.1 }, {}],
    ["noRepeatNgramSize", { noRepeatNgramSize: 2 }, {}],
    ["logitBias", { logitBias: { 1: 1 } }, {}],
    ["minTokens", { minTokens: 1 }, {}],
    ["stop", { stop: "." }, {}],
    ["topK", { topK: 3, temperature: 1 }, { extensions: ["ignore_eos"] }],
    ["ignoreEos", { ignoreEos: true }, { extensions: ["top_k"] }],
  ])("is not made with %s, which cannot be honoured", async (option, config, options) => {
    const { generator, requests } = await generatorOver(greeting, options);
    const expected = {
      code: "INVALID_CONFIG",
      message: expect.stringContaining(`"${option}"`) as string,
    };
    await expect(generator.generate("Hello", config)).rejects.toMatchObject(expected);
    await expect(textsOf(generator, config)).rejects.toMatchObject(expected);
    const { result } = generator.generateStreamAsync("Hello", config);
    await expect(result).rejects.toMatchObject(expected);
    expect(requests).toEqual([]);
  });

  it("is not made of token ids for a chat", async () => {
    const { generator } = await generatorOver(greeting);
    await expect(generator.generate([1, 2])).rejects.toMatchObject({
      code: "INVALID_PROMPT",
      message: expect.stringContaining('"completions"') as string,
    });
  });

  it.each<[Partial<OpenAIOptions>, RegExp]>([
    [{ baseURL: "localhost:8000" }, /baseURL is "localhost:8000"/],
    [{ baseURL: "" }, /baseURL/],
    [{ model: "" }, /model/],
    [{ endpoint: "responses" as "chat" }, /"responses".*"completions" or "chat"/],
    [{ extensions: ["top_q" as "top_k"] }, /"top_q".*top_k, ignore_eos/],
  ])("needs options that are right: %j", (wrong, message) => {
    const right = { baseURL: "http://127.0.0.1:1/v1", model: "whale", endpoint: "chat" } as const;
    expect(() => createOpenAIGenerator({ ...right, ...wrong })).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe("stopping", () => {
  /** Sends one token, and then nothing until the connection is gone. */
  function oneTokenThenSilence(): { script: Script; connectionClosed: Promise<void> } {
    let noticed = (): void => undefined;
    const connectionClosed = new Promise<void>((resolve) => {
      noticed = resolve;
    });
    const script: Script = async (response, { body, closed }) => {
      if (body["stream"] === true) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(role + delta({ content: "one" }));
      }
      await closed;
      noticed();
    };
    return { script, connectionClosed };
  }

  it("closes the request when the signal is aborted", async () => {
    const { script, connectionClosed } = oneTokenThenSilence();
    const { generator } = await generatorOver(script);
    const controller = new AbortController();
    const result = await generator.generateStream("Hello", () => controller.abort(), {
      signal: controller.signal,
    });
    expect(result).toMatchObject({ text: "one", finishReason: "aborted" });
    await connectionClosed;
  });

  it("closes the request when the callback or the loop has enough", async () => {
    const byCallback = oneTokenThenSilence();
    const first = await generatorOver(byCallback.script);
    expect(await first.generator.generateStream("Hello", () => false)).toMatchObject({
      text: "one",
      finishReason: "cancelled",
    });
    await byCallback.connectionClosed;

    const byLoop = oneTokenThenSilence();
    const second = await generatorOver(byLoop.script);
    const tokens = second.generator.generateStreamAsync("Hello");
    for await (const { text } of tokens) {
      expect(text).toBe("one");
      break;
    }
    expect((await tokens.result).finishReason).toBe("cancelled");
    await byLoop.connectionClosed;
  });

  it("closes the request of generate(), which has no text yet", async () => {
    const { script, connectionClosed } = oneTokenThenSilence();
    const { generator, requests } = await generatorOver(script);
    const controller = new AbortController();
    const result = generator.generate("Hello", { signal: controller.signal });
    while (requests.length === 0) await nextTurn();
    controller.abort();
    expect(await result).toMatchObject({ ids: [], text: "", finishReason: "aborted" });
    await connectionClosed;
  });

  it("does not ask the server at all when the signal was aborted before", async () => {
    const { generator, requests } = await generatorOver(greeting);
    const config = { signal: AbortSignal.abort() };
    expect((await generator.generate("Hello", config)).finishReason).toBe("aborted");
    expect(await textsOf(generator, config)).toEqual([]);
    expect((await generator.generateStreamAsync("Hello", config).result).ids).toEqual([]);
    expect(requests).toEqual([]);
  });

  it("keeps the count of what was delivered, whatever the server counts", async () => {
    const { generator } = await generatorOver(greeting);
    const result = await generator.generateStream("Hello", ({ index }) => index < 1);
    expect(result).toMatchObject({
      text: "Call me",
      finishReason: "cancelled",
      usage: { completionTokens: 2 },
    });
  });
});

describe("a failure", () => {
  it.each<[string, Script, RegExp]>([
    [
      "an error status with its message",
      json({ error: { message: "model whale does not exist" } }, 404),
      /answered 404 Not Found: model whale does not exist \(check the baseURL/,
    ],
    ["an error status with text", json("upstream is down", 502), /502 Bad Gateway: upstream is/],
    ["an error status with a detail", json({ detail: "No." }, 422), /422.*: No\. \(change what/],
    ["an error status without a body", json("", 401), /401 Unauthorized \(check the apiKey\)/],
    [
      "JSON that is not JSON",
      stream(delta({ content: "so far" }), 'data: {"choices": [\n\n'),
      /not JSON.*choices/,
    ],
    ["JSON that is no object", stream(delta({ content: "so far" }), event([1])), /not an object/],
    [
      "an error in the stream",
      stream(delta({ content: "so far" }), event({ error: { message: "out of memory" } }), done),
      /reported an error: out of memory/,
    ],
    [
      "an event named error",
      stream(delta({ content: "so far" }), 'event: error\ndata: {"message": "too slow"}\n\n', done),
      /reported an error: too slow/,
    ],
    ["no finish reason", stream(delta({ content: "so far" })), /without a finish_reason/],
    [
      "an end that is not one of text",
      stream(delta({ content: "so far" }), delta({}, "content_filter"), done),
      /"content_filter"/,
    ],
    ["an answer that is not streamed", json({ choices: [] }), /content-type "application\/json"/],
    [
      "a connection that breaks off",
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(delta({ content: "so far" }));
        for (let turn = 0; turn < 20; turn += 1) await nextTurn();
        response.destroy();
      },
      /broke off before the completion had ended/,
    ],
  ])("is told: %s", async (_name, script, message) => {
    const { generator } = await generatorOver(script);
    const texts: string[] = [];
    const inCallback: unknown = await generator
      .generateStream("Hello", ({ text }) => void texts.push(text))
      .catch((error: unknown) => error);
    expect(inCallback).toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringMatching(message) as string,
      partial: { text: texts.join("") },
    });
    const tokens = generator.generateStreamAsync("Hello");
    const iterate = async (): Promise<void> => {
      for await (const { text } of tokens) texts.push(text);
    };
    await expect(iterate()).rejects.toThrow(message);
    await expect(tokens.result).rejects.toThrow(message);
    expect(new Set(texts)).toEqual(new Set(texts.length === 0 ? [] : ["so far"]));
  });

  it("keeps the text of an answer that ends in another way", async () => {
    const { generator } = await generatorOver(
      json({
        choices: [{ message: { content: "so far" }, finish_reason: "content_filter" }],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }),
    );
    await expect(generator.generate("Hello")).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      partial: { ids: [0, 1], text: "so far" },
    });
  });

  it("is told when there is no server", async () => {
    const { baseURL } = await serve(greeting);
    await closeServers();
    const generator = createOpenAIGenerator({ baseURL, model: "whale", endpoint: "chat" });
    const error: unknown = await generator.generate("Hello").catch((caught: unknown) => caught);
    expect(isStreamgaugeError(error, "ENGINE_FAILED")).toBe(true);
    expect(error).toMatchObject({
      message: expect.stringMatching(/could not be reached.*whether the server runs/) as string,
    });
  });

  it("is told when the server does not honour ignore_eos", async () => {
    const { generator } = await generatorOver(greeting, { extensions: ["ignore_eos"] });
    await expect(textsOf(generator, { ignoreEos: true })).rejects.toThrow(
      /"stop" although ignore_eos was sent/,
    );
  });
});

/** Answers each request with as many tokens as it asks for. */
const obedient: Script = (response, seen) => {
  const count = seen.body["max_tokens"] as number;
  const words = Array.from({ length: count }, (_, index) => ` ${index}`);
  const script =
    seen.body["stream"] === true
      ? stream(
          role,
          ...words.map((content) => delta({ content })),
          delta({}, "length"),
          usage(3, count),
          done,
        )
      : json({
          choices: [{ message: { content: words.join("") }, finish_reason: "length" }],
          usage: { prompt_tokens: 3, completion_tokens: count },
        });
  return script(response, seen);
};

describe("the bench", () => {
  const plan = cellPlan({ tokens: 12, blocks: 6 });

  it("measures an endpoint like any generator", async () => {
    const { generator, requests } = await generatorOver(obedient, { extensions: ["ignore_eos"] });
    await inTemporaryFolder(async (outputFolder) => {
      const { record } = await runBench({
        scenarios: [
          defineScenario({
            name: "endpoint",
            open: () => generator,
            prompt: "Hello",
            tokens: [12],
            blocks: 6,
          }),
        ],
        seed: 1,
        outputFolder,
      });
      const [cell] = record.cells;
      expect(cell?.failure).toBeNull();
      expect(cell).toMatchObject({ id: "endpoint-12", status: "complete", promptTokens: 3 });
      expect(cell?.blocks).toHaveLength(6);
      const times = cell?.blocks.flatMap(({ runs }) => runs) ?? [];
      for (const { treatment, timeToFirstTokenNanoseconds } of times) {
        expect(timeToFirstTokenNanoseconds === null).toBe(
          treatment === "generate" || treatment === "control",
        );
      }
    });
    expect(new Set(requests.map(({ body }) => body["ignore_eos"]))).toEqual(new Set([true]));
  });

  it("notices a server that puts several tokens into a chunk", async () => {
    const { generator } = await generatorOver(async (response, seen) => {
      if (seen.body["stream"] !== true) return await obedient(response, seen);
      return await stream(
        role,
        delta({ content: "all at once" }, "length"),
        usage(3, seen.body["max_tokens"] as number),
        done,
      )(response, seen);
    });
    const cell = await measureCell(generator, plan, {
      clock: systemClock,
      seed: 1,
      work: { prompt: "Hello", config: { maxTokens: 12 } },
    });
    expect(cell).toMatchObject({ status: "failed", failure: { code: "OUTPUT_MISMATCH" } });
    expect(cell.failure?.message).toMatch(/made 1 of 12 tokens/);
  });
});
