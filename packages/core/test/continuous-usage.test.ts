import {
  createGenerator,
  createTokenQueue,
  toServerSentEvents,
  type CompletionEventOptions,
} from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { createScriptedBackend, scriptedToken } from "./scripted-backend.js";

const options: CompletionEventOptions = {
  endpoint: "completions",
  id: "cmpl-1",
  model: "counter",
  createdSeconds: 1_851,
  includeUsage: true,
  continuousUsage: true,
};

interface Chunk {
  readonly choices: readonly { readonly text: string }[];
  readonly usage: { readonly completion_tokens: number; readonly prompt_tokens?: number } | null;
}

describe("continuous usage", () => {
  it("counts the tokens up to each text, those without text included", async () => {
    const texts = ["a", "", "b", "\ud83d", "\udc0b", "", "c"];
    const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
    const generator = createGenerator({
      collect: () => expect.fail("is streamed"),
      stream: () =>
        createTokenQueue((sink) => {
          for (const [index, text] of texts.entries()) sink.push({ ...scriptedToken(index), text });
          return Promise.resolve({ finishReason: "length", promptTokens: 1, timings });
        }, Infinity).source,
    });
    const stream = generator.generateStreamAsync("go");
    const wire = await new Response(toServerSentEvents(stream, options)).text();
    const chunks = [...wire.matchAll(/^data: (\{.*\})$/gm)].map(
      ([, data]) => JSON.parse(data ?? "") as Chunk,
    );
    const counts = chunks.map(({ choices, usage }) => [
      choices[0]?.text,
      usage?.completion_tokens,
      usage?.prompt_tokens,
    ]);
    expect(counts).toEqual([
      ["a", 1, undefined],
      ["b", 3, undefined],
      ["🐋", 5, undefined],
      ["c", 7, undefined],
      ["", undefined, undefined],
      [undefined, 7, expect.any(Number)],
    ]);
  });

  it("is refused without the usage at the end", () => {
    const stream = createGenerator(createScriptedBackend()).generateStreamAsync("go");
    expect(() => toServerSentEvents(stream, { ...options, includeUsage: false })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }) as Error,
    );
  });
});
