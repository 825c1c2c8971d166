// What a field may be instead of what it should be: empty, in parts, unknown, or an error.
import { describe, expect, it } from "vitest";
import { createOpenAIGenerator } from "@streamgauge/bench/adapters";
import {
  delta,
  done,
  event,
  generatorOver,
  json,
  serve,
  stream,
  usage,
  type Script,
} from "./scripted-openai.js";

const counted = { prompt_tokens: 3, completion_tokens: 2 };

/** The texts of a stream of one chunk with this choice, and of the same answer as a whole. */
async function textsOf(choice: Record<string, unknown>): Promise<unknown[]> {
  const answer = { choices: [{ finish_reason: "stop", ...choice }], usage: counted };
  const { generator } = await generatorOver((response, seen) =>
    (seen.body["stream"] === true ? stream(event(answer), done) : json(answer))(response, seen),
  );
  const texts: string[] = [];
  const streamed = await generator
    .generateStream("Hello", ({ text }) => void texts.push(text))
    .catch((error: unknown) => error);
  const whole = await generator.generate("Hello").catch((error: unknown) => error);
  return [texts.join("|"), streamed, whole];
}

async function failureOf(script: Script): Promise<unknown> {
  const { generator } = await generatorOver(script);
  return await generator.generateStream("Hello", () => undefined).catch((error: unknown) => error);
}

const engineFailed = (message: RegExp): unknown =>
  expect.objectContaining({
    code: "ENGINE_FAILED",
    message: expect.stringMatching(message) as string,
  });

const thinking = (text: unknown): unknown => ({ type: "thinking", thinking: text });
const part = (text: unknown): unknown => ({ type: "text", text });

describe("the text of an answer", () => {
  it.each<[string, Record<string, unknown>]>([
    ["Hm", { delta: { reasoning_content: "", reasoning: "Hm" } }],
    ["Hm", { delta: { reasoning_content: "Hm", reasoning: "" } }],
    ["Hm", { delta: { reasoning_content: "Hm", reasoning: "Hm", content: "" } }],
    ["HmSo", { delta: { reasoning_content: "Hm", reasoning: "So" } }],
    [
      "Hm",
      { delta: { reasoning: "", reasoning_details: [{ type: "reasoning.text", text: "Hm" }] } },
    ],
    ["Hm", { delta: { reasoning_details: [{ type: "reasoning.summary", summary: "Hm" }] } }],
    ["Hi", { delta: { content: "" }, text: "Hi" }],
    ["Hi", { delta: {}, message: { content: "Hi" } }],
    ["Hi", { delta: null, message: null, text: "Hi" }],
    ["Hi", { delta: { content: "Hi" }, message: { content: "Hi" }, text: "Hi" }],
    ["Hi", { delta: { content: "Hi", tool_calls: [], function_call: null, audio: "" }, error: "" }],
    ["HmYes", { delta: { content: [thinking("Hm"), part("Yes")] } }],
    ["HmYes", { delta: { content: [thinking([part("Hm")]), part("Yes"), part(null)] } }],
    ["HmYes", { delta: { content: [{ type: "reasoning", text: "Hm" }, "Yes", { text: "" }] } }],
    ["Yes", { message: { content: [{ type: "output_text", text: "Yes", annotations: [] }] } }],
    ["No", { delta: { content: null, refusal: "No" } }],
    ["No", { delta: { content: "", refusal: "No" } }],
    ["No", { message: { content: [{ type: "refusal", refusal: "No" }], refusal: "" } }],
    ["Yes", { delta: { content: "Yes", refusal: "" } }],
  ])("is %s, streamed or not, of %j", async (text, choice) => {
    const [delivered, streamed, whole] = await textsOf(choice);
    expect(delivered).toBe(text);
    for (const result of [streamed, whole]) {
      expect(result).toMatchObject({
        text,
        finishReason: "eos",
        usage: { promptTokens: 3, completionTokens: 2 },
      });
    }
  });

  it.each<[RegExp, Record<string, unknown>]>([
    [/delta as a string/, { delta: "Hi" }],
    [/message as an array/, { message: ["Hi"] }],
    [/delta\.content as an object/, { delta: { content: { text: "Hi" } } }],
    [/delta\.content as a number/, { delta: { content: 5 } }],
    [/delta\.refusal as a boolean/, { delta: { refusal: true } }],
    [/delta\.reasoning as an object/, { delta: { content: "Hi", reasoning: { content: "Hm" } } }],
    [/text as an object/, { text: { content: "Hi" } }],
    [/a part of delta\.content as "image_url"/, { delta: { content: [{ type: "image_url" }] } }],
    [/a part of delta\.content as "__proto__"/, { delta: { content: [{ type: "__proto__" }] } }],
    [/a part of delta\.content as "text" without text/, { delta: { content: [{ type: "text" }] } }],
    [/a part of message\.content as null/, { message: { content: [null] } }],
    [
      /a part of delta\.content, its thinking, its text as an array/,
      { delta: { content: [thinking([part([part("Hm")])])] } },
    ],
    [/delta\.tool_calls as an array/, { delta: { tool_calls: [{ index: 0 }] } }],
    [/message\.function_call as an object/, { message: { function_call: { name: "f" } } }],
    [/delta\.audio as an object/, { delta: { audio: { id: "a", transcript: "Hi" } } }],
    [/finish_reason as an object/, { delta: { content: "Hi" }, finish_reason: { type: "stop" } }],
    [/finish_reason as a number/, { delta: { content: "Hi" }, finish_reason: 1 }],
  ])("is refused for shapes that may lose some of it: %s", async (message, choice) => {
    const [, streamed, whole] = await textsOf(choice);
    for (const failure of [streamed, whole]) {
      expect(failure).toEqual(engineFailed(message));
      expect(failure).toEqual(engineFailed(/lost: switch off .* or use a server that sends text/));
    }
  });

  it.each<[RegExp, string]>([
    [/choices as an object/, event({ choices: { content: "Hi" } })],
    [/choices as more than one/, event({ choices: [{ text: "a" }, { text: "b" }] })],
    [/choices\[0\] as a string/, event({ choices: ["Hi"] })],
    [
      /text of the choices 0 and 1, but one was asked for/,
      event({ choices: [{ index: 0, text: "a" }] }) + event({ choices: [{ index: 1, text: "b" }] }),
    ],
  ])("is that of one choice: %s", async (message, chunks) => {
    expect(await failureOf(stream(chunks, done))).toEqual(engineFailed(message));
  });

  it("survives what is nested a hundred thousand times", async () => {
    const deep = `${"[".repeat(1e5)}${"]".repeat(1e5)}`;
    for (const field of ["content", "reasoning_details", "tool_calls"]) {
      const chunk = `data: {"choices":[{"delta":{"${field}":${deep}}}]}\n\n`;
      expect(await failureOf(stream(chunk, done))).toEqual(engineFailed(/a part of|tool_calls/));
    }
  });

  it.each<[string, Record<string, unknown>]>([
    ["parts", { content: [thinking("Hm")] }],
    ["a refusal", { refusal: "No" }],
    ["reasoning under its other name", { reasoning_content: "", reasoning: "Hm" }],
  ])("begins with %s: the first token comes while the server still works", async (_, first) => {
    let goOn = (): void => undefined;
    const received = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { generator } = await generatorOver(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(delta({ role: "assistant", content: "" }, "") + delta(first));
      // Without a first token this never ends.
      await received;
      response.end(delta({ content: "Yes" }, "stop") + done);
    });
    const result = await generator.generateStream("Hello", () => goOn());
    expect(result.ids).toEqual([0, 1]);
  });
});

describe("usage", () => {
  const chunks = delta({ content: "a" }) + delta({ content: "b" }, "stop");
  const zeros = { prompt_tokens: 0, completion_tokens: 0 };
  it.each<[string, string, [number, number]]>([
    ["zeros after a count", usage(7, 5) + usage(0, 0), [7, 5]],
    ["zeros alone", usage(0, 0), [Number.NaN, 2]],
    ["nothing after a count", usage(7, 5) + event({ choices: [], usage: {} }), [7, 5]],
    ["null after a count", usage(7, 5) + event({ choices: [], usage: null }), [7, 5]],
    ["a part after a count", usage(7, 5) + event({ usage: { completion_tokens: 6 } }), [7, 6]],
    ["other names", event({ usage: { input_tokens: 7, output_tokens: 5 } }), [7, 5]],
    [
      "zeros under the usual names beside others",
      event({ usage: { ...zeros, input_tokens: 7, output_tokens: 5 } }),
      [7, 5],
    ],
    [
      "zeros under other names beside the usual ones",
      event({ usage: { ...counted, input_tokens: 0, output_tokens: 0 } }),
      [3, 2],
    ],
    ["strings", event({ usage: { prompt_tokens: "7", completion_tokens: "" } }), [Number.NaN, 2]],
    ["fractions", event({ usage: { prompt_tokens: -1, completion_tokens: 1.5 } }), [Number.NaN, 2]],
  ])("is right with %s", async (_, said, [promptTokens, completionTokens]) => {
    const { generator } = await generatorOver(stream(chunks, said, done));
    const result = await generator.generateStream("Hello", () => undefined);
    expect(result.usage).toEqual({ promptTokens, completionTokens });
  });

  it("has other names only where they count something", async () => {
    const both = { prompt_tokens: 0, input_tokens: 0, completion_tokens: 5, output_tokens: 0 };
    const { generator } = await generatorOver(stream(chunks, event({ usage: both }), done));
    expect(await generator.generateStream("Hello", () => undefined)).toMatchObject({
      usage: { completionTokens: 5 },
      terms: [],
    });
  });

  it("of no tokens is a count where there is no text", async () => {
    const choices = [{ message: { content: "" }, finish_reason: "stop" }];
    const { generator } = await generatorOver(json({ choices, usage: zeros }));
    const { usage: counts, ids } = await generator.generate("Hello");
    expect([counts.completionTokens, ids]).toEqual([0, []]);
  });

  it("that no completion can have is refused, before as many tokens are made", async () => {
    const choices = [{ message: { content: "a" }, finish_reason: "stop" }];
    const impossible = { prompt_tokens: 1, completion_tokens: Number.MAX_SAFE_INTEGER };
    const { generator } = await generatorOver(json({ choices, usage: impossible }));
    await expect(generator.generate("Hello")).rejects.toEqual(
      engineFailed(/9007199254740991 tokens, which is not possible/),
    );
  });

  it("of another end shows whether ignore_eos was honoured", async () => {
    const { generator } = await generatorOver(stream(delta({ content: "a" }), usage(1, 3), done), {
      extensions: ["ignore_eos"],
    });
    const run = (maxTokens: number): Promise<unknown> =>
      generator.generateStream("Hello", () => undefined, { maxTokens, ignoreEos: true });
    expect(await run(3)).toMatchObject({ finishReason: "length" });
    await expect(run(4)).rejects.toEqual(engineFailed(/after 3 of 4 tokens although ignore_eos/));
  });
});

describe("the server's own words", () => {
  const error = { message: "no such model" };
  it.each<[string, Script]>([
    ["an error as JSON", json({ error })],
    ["an error as a string in JSON", json({ error: "no such model" })],
    ["an error object as JSON", json({ object: "error", message: "no such model" })],
    ["a message as JSON", json({ message: "no such model", code: "NotFound" })],
    ["an empty message beside a detail", json({ error: { message: "" }, detail: "no such model" })],
    ["a detail in parts", json({ error: {}, detail: [{ loc: ["body"], msg: "no such model" }] })],
    ["a page of text", (response) => void response.end("no such model")],
    ["an error in the stream", stream(event({ error }), done)],
    ["an error object in the stream", stream(event({ object: "error", ...error }), done)],
    ["an error line", stream(`error: ${JSON.stringify(error)}\n\n`, done)],
    ["an error line of text", stream("error: no such model\n\n")],
    ["an error line without an end", stream("Error:no such model")],
    ["bare JSON", stream(JSON.stringify({ error }))],
    [
      "bare JSON of an error object",
      stream(`${JSON.stringify({ object: "error", ...error })}\n\n`),
    ],
    ["bare JSON over lines", stream(JSON.stringify({ id: 1, nested: {}, error }, undefined, 2))],
    ["bare JSON after an event", stream(event({ choices: [] }), JSON.stringify({ error }), "\n\n")],
    ["a stream of other JSON", stream('{"response":"no such model","done":true}\n')],
    ["bare text", stream("Internal failure\n\nno such model\n")],
    ["JSON that is cut", stream('{"error": {"message": "no such model"')],
    ["a message in an event", stream(event({ message: "no such model" }), done)],
    ["a named event", stream("event: error\ndata: no such model\n\n")],
    ["a named event that is cut", stream('event: error\ndata: {"message":"no such model"}')],
    ["an error status", json({ error }, 500)],
    ["an error status with a cut body", json('{"error": "no such model', 500)],
  ])("are quoted: %s", async (_, script) => {
    expect(await failureOf(script)).toEqual(engineFailed(/no such model/));
  });

  it("are quoted for generate(), too", async () => {
    for (const body of [{ error }, { object: "error", ...error }, { detail: "no such model" }]) {
      const { generator } = await generatorOver(json(body));
      await expect(generator.generate("Hello")).rejects.toEqual(
        engineFailed(/reported an error: no such model/),
      );
    }
  });

  it.each(["", "null", "false", "{}", '{"message": ""}', "[]"])(
    "are not invented where there are none: %j",
    async (none) => {
      const said = `"error": ${none === "" ? '""' : none}`;
      const chunk = `data: {"choices": [{"text": "a", "finish_reason": "stop"}], ${said}}\n\n`;
      const { generator } = await generatorOver(stream(chunk, done));
      const outcome: unknown = await generator
        .generateStream("Hello", () => undefined)
        .catch((caught: unknown) => caught);
      // An object without words is still an error if it has a field.
      if (none.includes("message")) expect(outcome).toEqual(engineFailed(/reported an error/));
      else expect(outcome).toMatchObject({ text: "a" });
    },
  );

  it("have a limit, and nothing that a terminal obeys", async () => {
    const words = "\u001B[2J\u0007\u009Bred\u202E \r\n\t" + "🐋".repeat(400);
    const places: readonly Script[] = [
      json({ error: { message: words } }),
      json({ error: { message: words } }, 400),
      (response) => void response.end(words),
      stream(event({ error: words })),
      stream(`error: ${words.replaceAll(/[\r\n]/g, "")}\n\n`),
      stream(`data: ${words.replaceAll(/[\r\n]/g, "")}\n\n`),
      stream(event([words])),
      stream(`${words}\n`),
      stream(delta({}, words)),
      stream(event({ choices: [{ delta: { content: [{ type: words }] } }] })),
      (response) => {
        response.setHeader("content-type", "a".repeat(2000));
        response.end();
      },
    ];
    for (const script of places) {
      const { message } = (await failureOf(script)) as Error;
      // 300 characters of the server's, or twice as many where it names two things, and ours.
      expect(message).toMatch(/^[^\p{Cc}\u202E]{1,700}$/u);
      expect(message.isWellFormed()).toBe(true);
    }
  });

  it("do not have to end", async () => {
    for (const status of [200, 500]) {
      const closed: Promise<unknown>[] = [];
      const failure = await failureOf(async (response, seen) => {
        closed.push(seen.closed);
        response.writeHead(status, { "content-type": "text/html" });
        while (!response.destroyed) {
          const isTaken = response.write("no such model ".repeat(1000));
          if (!isTaken) {
            await Promise.race([
              seen.closed,
              new Promise((taken) => response.once("drain", taken)),
            ]);
          }
        }
      });
      expect(failure).toEqual(engineFailed(/no such model/));
      await Promise.all(closed);
    }
  });
});

describe("an apiKey", () => {
  it("that is empty is none", async () => {
    const { generator, requests } = await generatorOver(stream(delta({ content: "a" }, "stop")), {
      apiKey: "",
    });
    await generator.generateStream("Hello", () => undefined);
    expect(requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it("that no header can carry is refused, and not shown", async () => {
    const { baseURL } = await serve(stream(done));
    const apiKey = "secret\n";
    const create = (): unknown =>
      createOpenAIGenerator({ baseURL, model: "whale", endpoint: "chat", apiKey });
    expect(create).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringMatching(/^(?!.*secret).*apiKey/s) as string,
      }),
    );
  });
});
