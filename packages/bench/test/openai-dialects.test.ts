import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createOpenAIGenerator, type OpenAIOptions } from "@streamgauge/bench/adapters";
import { dialects } from "./openai-dialects.js";
import { done, event, generatorOver, serve } from "./scripted-openai.js";

const encoder = new TextEncoder();

/** A fetch that answers with the bytes, cut into pieces that no network joins again. */
function replaying(bytes: Uint8Array, cuts: readonly number[]): typeof globalThis.fetch {
  return async () => {
    const ends = [...cuts, bytes.length];
    let from = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const to = ends.shift();
        if (to === undefined) return controller.close();
        controller.enqueue(bytes.slice(from, to));
        from = to;
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

describe.each(dialects)("$name", ({ body, texts, endpoint = "chat" as const, result, failure }) => {
  const bytes = encoder.encode(body);

  const expected = {
    delivered: texts,
    outcome: expect.objectContaining(
      failure === undefined
        ? { text: texts.join(""), ...result }
        : { code: "ENGINE_FAILED", message: expect.stringContaining(failure) as string },
    ) as unknown,
  };

  async function outcomeOf(options: Pick<OpenAIOptions, "baseURL" | "fetch">): Promise<unknown> {
    const generator = createOpenAIGenerator({ model: "whale", endpoint, ...options });
    const delivered: string[] = [];
    const outcome: unknown = await generator
      .generateStream("Hello", (token) => void delivered.push(token.text), { maxTokens: 4 })
      .catch((error: unknown) => error);
    return { delivered, outcome };
  }

  it("is read from a server, byte by byte", async () => {
    const { baseURL } = await serve(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of bytes) {
        // An error closes the connection before its stream has ended.
        if (response.destroyed) return;
        response.write(Uint8Array.of(byte));
        await nextTurn();
      }
      response.end();
    });
    expect(await outcomeOf({ baseURL })).toEqual(expected);
  });

  it("is read wherever the network splits it", async () => {
    const baseURL = "http://localhost/v1";
    const everywhere = Array.from(bytes, (_, index) => index);
    for (const cuts of [everywhere, ...everywhere.map((at) => [at])]) {
      expect(await outcomeOf({ baseURL, fetch: replaying(bytes, cuts) })).toEqual(expected);
    }
  });
});

it("gives the terms in every mode, and none for a generation that was stopped", async () => {
  const choices = [{ delta: { content: "a" }, message: { content: "a" } }];
  const answer = { choices, usage: { input_tokens: 1, output_tokens: 2 } };
  const { generator } = await generatorOver((response, seen) => {
    const isStreamed = seen.body["stream"] === true;
    response.setHeader("content-type", isStreamed ? "text/event-stream" : "application/json");
    response.end(isStreamed ? event(answer) + done : JSON.stringify(answer));
  });
  const whole = await generator.generate("Hello");
  expect(whole.terms).toEqual([
    'finishReason "eos" is inferred from 2 tokens, maxTokens 128: the server sent no ' +
      "finish_reason, but its answer is whole.",
    "The server's counts of tokens are its input_tokens and output_tokens.",
  ]);
  const streamed = await generator.generateStream("Hello", () => undefined);
  const iterated = await generator.generateStreamAsync("Hello").result;
  expect(iterated.terms).toEqual(streamed.terms);
  expect(streamed.terms).toHaveLength(2);
  const stopped = await generator.generateStream("Hello", () => false);
  expect(stopped).toMatchObject({ finishReason: "cancelled", terms: [] });
});
