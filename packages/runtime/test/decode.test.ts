import {
  resolveConfig,
  type GenerationConfig,
  type StopReason,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";
import { embeddedModel } from "@streamgauge/runtime";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decode } from "../src/engine/decode.js";
import type { Model } from "../src/engine/model.js";
import { createDetokenizer } from "../src/text/detokenizer.js";
import { loadTokenizer, type Tokenizer } from "../src/text/tokenizer.js";

/** Characters of two, three and four bytes, each of which takes several tokens. */
const text = "naïve — “quoted” 🐋🐳 鯨, and é or e\u0301 … the end 🐋.";
let tokenizer: Tokenizer;
let ids: readonly number[];

beforeAll(async () => {
  tokenizer = await loadTokenizer(embeddedModel);
  ids = tokenizer.encode(text);
});

/** A model that says what it is given, with the embedded model's tokens. */
function scriptedModel(): Model {
  return {
    contextLength: 10_000,
    vocabularySize: tokenizer.vocabularySize,
    eosTokenIds: new Set(),
    encode: (prompt) => tokenizer.encode(prompt),
    encodeChat: undefined,
    maxBatch: 1,
    createDetokenizer: () => createDetokenizer(tokenizer),
    begin() {
      let next = 0;
      return {
        cachedTokens: 0,
        mostIdsAtOnce: 256,
        end: () => undefined,
        startsAgain: () => false,
        advance: () => Promise.resolve(),
        choose: () => ({ id: ids[next++]!, logprob: undefined, topLogprobs: undefined }),
      };
    },
    forget: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** Runs the script, and has the consumer stop after some tokens. */
async function run(config: GenerationConfig, stopAfter = Infinity) {
  const tokens: StreamToken[] = [];
  const sink: TokenSink = {
    get stopReason(): StopReason | undefined {
      return tokens.length >= stopAfter ? "aborted" : undefined;
    },
    push(token) {
      tokens.push(token);
      return true;
    },
    writable: () => Promise.resolve(),
  };
  const resolved = resolveConfig({ maxTokens: ids.length, ...config });
  const summary = await decode(scriptedModel(), { prompt: [1], config: resolved }, sink, 0);
  return { ...summary, tokens, text: tokens.map((token) => token.text).join("") };
}

const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);

describe("decode", () => {
  it("cuts at a stop string of any characters, also those that take several tokens", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(characters.length - 1),
        fc.integer({ min: 1, max: 6 }),
        async (from, count) => {
          const stop = characters.slice(from, from + count).join("");
          const result = await run({ stop });
          expect(result.finishReason).toBe("stop");
          expect(result.text).toBe(text.slice(0, text.indexOf(stop)));
          const made = tokenizer.decode(result.tokens.map(({ id }) => id));
          expect(made.startsWith(result.text + stop)).toBe(true);
        },
      ),
      { examples: [[characters.indexOf("🐋"), 2]] },
    );
  });

  it("gives at the end what was held back, incomplete characters included", async () => {
    for (let maxTokens = 1; maxTokens <= ids.length; maxTokens++) {
      const result = await run({ maxTokens, stop: [`${text} and more`, "🐋🐋", "\uFFFD!"] });
      expect(result.finishReason).toBe("length");
      expect(result.text).toBe(tokenizer.decode(ids.slice(0, maxTokens)));
      // All of it was held back, for it might have been the first of the strings.
      expect(result.tokens.slice(0, -1).every((token) => token.text === "")).toBe(true);
    }
  });

  it("drops what is held back when it is stopped from outside", async () => {
    const whole = await run({});
    for (let count = 1; count < ids.length; count++) {
      const plain = await run({}, count);
      expect(plain.finishReason).toBe("aborted");
      expect(plain.text).toBe(
        whole.tokens
          .slice(0, count)
          .map((token) => token.text)
          .join(""),
      );
      const held = await run({ stop: `${text} and more` }, count);
      expect(held).toMatchObject({ finishReason: "aborted", text: "" });
      expect(held.tokens.map(({ id }) => id)).toEqual(ids.slice(0, count));
    }
  });

  it("does not end before minTokens, and not at what was complete by then", async () => {
    const whole = await run({});
    const stop = "🐋";
    for (let minTokens = 0; minTokens <= ids.length; minTokens++) {
      const { length: before } = whole.tokens
        .slice(0, minTokens)
        .map((token) => token.text)
        .join("");
      // The first that is complete only with a later token.
      const cut = text.indexOf(stop, Math.max(0, before - stop.length + 1));
      const result = await run({ minTokens, stop });
      expect(result.text).toBe(cut === -1 ? text : text.slice(0, cut));
      expect(result.tokens.length).toBeGreaterThan(cut === -1 ? minTokens - 1 : minTokens);
    }
  });
});
