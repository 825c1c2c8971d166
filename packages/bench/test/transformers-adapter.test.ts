import { basename, dirname } from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
} from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerationConfig, GenerationResult, Generator, StreamToken } from "@streamgauge/core";
import { createInlineGenerator, embeddedModel, type InlineGenerator } from "@streamgauge/runtime";
import { createTransformersGenerator, type TransformersModel } from "@streamgauge/bench/adapters";
import { createIncrementalText } from "../src/adapters/incremental-text.js";
import { runBench } from "../src/run/run-bench.js";
import { inTemporaryFolder } from "./example-record.js";
import { cellPlan, presetOf } from "./plans.js";

const prompt = "Call me Ishmael.";
const patience = 60_000;

let model: PreTrainedModel;
let tokenizer: PreTrainedTokenizer;
let theirs: Generator;
let ours: InlineGenerator;

beforeAll(async () => {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(embeddedModel);
  const id = basename(embeddedModel);
  model = await AutoModelForCausalLM.from_pretrained(id, { dtype: "fp32", device: "cpu" });
  tokenizer = await AutoTokenizer.from_pretrained(id);
  theirs = createTransformersGenerator({ model, tokenizer });
  // As theirs, it runs each prompt whole, and counts nothing as cached.
  ours = await createInlineGenerator({ prefixReuse: false });
}, patience);
afterAll(async () => {
  await model.dispose();
  await ours.close();
});

interface Three {
  readonly generate: GenerationResult;
  readonly stream: GenerationResult;
  readonly streamAsync: GenerationResult;
  readonly tokens: readonly StreamToken[];
}

it("writes a conversation down as the tokenizer's template does", async () => {
  const own = await AutoTokenizer.from_pretrained(basename(embeddedModel));
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Call me" },
  ];
  const chats = createTransformersGenerator({ model, tokenizer: own });
  const answer = await chats.generate({ messages }, { maxTokens: 8 });
  expect(answer.ids).toEqual((await ours.generate({ messages }, { maxTokens: 8 })).ids);
  own.chat_template = null;
  await expect(chats.generate({ messages })).rejects.toMatchObject({
    code: "INVALID_PROMPT",
    message: expect.stringMatching(/does not take this conversation/) as string,
  });
  own.chat_template =
    "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}assistant:{% endif %}";
  const written = "system: Be brief.\nuser: Call me\nassistant:";
  const expected = await theirs.generate(written, { maxTokens: 8 });
  const { ids, usage } = await chats.generate({ messages }, { maxTokens: 8 });
  expect(ids).toEqual(expected.ids);
  expect(usage).toEqual(expected.usage);
});

async function allModes(
  generator: Generator,
  given: string | number[],
  config: GenerationConfig,
): Promise<Three> {
  const tokens: StreamToken[] = [];
  return {
    generate: await generator.generate(given, config),
    stream: await generator.generateStream(given, (token) => void tokens.push(token), config),
    streamAsync: await generator.generateStreamAsync(given, config).result,
    tokens,
  };
}

/** A result without its times. */
function timeless(result: GenerationResult): unknown {
  return { ...result, timings: undefined };
}

async function expectAsOurs(
  generator: Generator,
  given: string | number[],
  config: GenerationConfig,
): Promise<GenerationResult> {
  const { generate, stream, streamAsync, tokens } = await allModes(generator, given, config);
  const expected = await ours.generate(given, config);
  for (const result of [generate, stream, streamAsync]) {
    expect(timeless(result)).toEqual(timeless(expected));
    expect(result.timings.prefillMilliseconds).toBeGreaterThan(0);
  }
  expect(tokens.map(({ index }) => index)).toEqual(expected.ids.map((_, index) => index));
  expect(tokens.map(({ text }) => text).join("")).toBe(expected.text);
  return expected;
}

describe("transformers.js on the embedded model", { timeout: patience }, () => {
  it("makes the ids and the text of our runtime, in all modes", async () => {
    const { ids } = await expectAsOurs(theirs, prompt, { maxTokens: 50 });
    expect(ids).toHaveLength(50);
  });

  it("takes token ids", async () => {
    const { usage } = await expectAsOurs(theirs, [40, 41, 42], { maxTokens: 8 });
    expect(usage.promptTokens).toBe(3);
  });

  it("ends after a stop id", async () => {
    const { ids } = await ours.generate(prompt, { maxTokens: 20 });
    const stopTokenIds = [ids[7] as number];
    const result = await expectAsOurs(theirs, prompt, { maxTokens: 20, stopTokenIds });
    expect(result.finishReason).toBe("stop");
  });

  it("ends where the context is full", async () => {
    const long = Array.from({ length: 1020 }, (_, index) => 40 + (index % 50));
    const result = await expectAsOurs(theirs, long, { maxTokens: 20 });
    expect(result).toMatchObject({ finishReason: "context", ids: { length: 4 } });
  });

  it("gives the time of each token on the receiving thread's clock", async () => {
    const before = performance.now();
    const { tokens } = await allModes(theirs, prompt, { maxTokens: 5 });
    const times = tokens.map(({ producedAtMilliseconds }) => producedAtMilliseconds ?? Number.NaN);
    expect(times).toEqual(times.toSorted((first, second) => first - second));
    expect(times[0]).toBeGreaterThan(before);
    expect(times.at(-1)).toBeLessThan(performance.now());
  });

  it("delivers each token before it makes the next", async () => {
    let made = 0;
    const counted: TransformersModel = {
      config: model.config,
      generation_config: model.generation_config,
      generate: (options) =>
        model.generate({
          ...options,
          logits_processor: [
            (_ids: unknown, logits: unknown) => {
              made += 1;
              return logits;
            },
          ] as never,
        }),
    };
    const ahead: number[] = [];
    await createTransformersGenerator({ model: counted, tokenizer }).generateStream(
      prompt,
      ({ index }) => void ahead.push(made - index - 1),
      { maxTokens: 10 },
    );
    expect(ahead).toEqual(Array.from({ length: 10 }, () => 0));
  });
});

describe("the end of the sequence", { timeout: patience }, () => {
  /** The same model, for which the id at this index of its completion is the end. */
  async function endingAt(
    index: number,
  ): Promise<{ generator: Generator; ids: readonly number[] }> {
    const { ids } = await ours.generate(prompt, { maxTokens: 20, ignoreEos: true });
    const eos: unknown = { eos_token_id: [0, ids[index]] };
    const ending: TransformersModel = {
      config: model.config,
      generation_config: { ...(model.generation_config as object), ...(eos as object) },
      generate: (options) => model.generate({ ...(eos as object), ...options, max_new_tokens: 20 }),
    };
    return { generator: createTransformersGenerator({ model: ending, tokenizer }), ids };
  }

  it("is kept, and ends the completion", async () => {
    const { generator, ids } = await endingAt(6);
    const { generate, stream, tokens } = await allModes(generator, prompt, { maxTokens: 20 });
    for (const result of [generate, stream]) {
      expect(result).toMatchObject({ finishReason: "eos", ids: ids.slice(0, 7) });
    }
    expect(tokens.map(({ endOfSequence }) => endOfSequence).lastIndexOf(true)).toBe(6);
  });

  it("is chosen and passed over with ignoreEos", async () => {
    const { generator, ids } = await endingAt(6);
    const config = { maxTokens: 20, ignoreEos: true };
    const { generate, stream, tokens } = await allModes(generator, prompt, config);
    for (const result of [generate, stream]) {
      expect(result).toMatchObject({ finishReason: "length", ids });
    }
    expect(tokens[6]?.endOfSequence).toBe(true);
  });
});

describe("sampling", { timeout: patience }, () => {
  it("penalises and forbids as this runtime does", async () => {
    for (const option of [{ repetitionPenalty: 1.3 }, { noRepeatNgramSize: 2 }]) {
      const config = { maxTokens: 30, ...option };
      const { ids } = await theirs.generate(prompt, config);
      expect(ids).toEqual((await ours.generate(prompt, config)).ids);
      expect(ids).not.toEqual((await theirs.generate(prompt, { maxTokens: 30 })).ids);
    }
  });

  it("draws from the topK likeliest only", async () => {
    const greedy = await theirs.generate(prompt, { maxTokens: 10 });
    const config = { maxTokens: 10, temperature: 2, topK: 1 };
    const { generate, stream } = await allModes(theirs, prompt, config);
    expect([generate.ids, stream.ids]).toEqual([greedy.ids, greedy.ids]);
  });

  it("does not follow the model's own settings", async () => {
    const penalised: TransformersModel = {
      config: model.config,
      generation_config: model.generation_config,
      generate: async (options) => {
        const own = model.generation_config as unknown as Record<string, unknown>;
        const before = own["repetition_penalty"];
        own["repetition_penalty"] = 5;
        try {
          return await model.generate(options);
        } finally {
          own["repetition_penalty"] = before ?? 1;
        }
      },
    };
    const generator = createTransformersGenerator({ model: penalised, tokenizer });
    const { ids } = await ours.generate(prompt, { maxTokens: 20 });
    const { generate, stream } = await allModes(generator, prompt, { maxTokens: 20 });
    expect([generate.ids, stream.ids]).toEqual([ids, ids]);
  });
});

describe("stopping", { timeout: patience }, () => {
  it("ends the decoding, and keeps what was delivered", async () => {
    const byCallback = await theirs.generateStream(prompt, ({ index }) => index < 4, {
      maxTokens: 1000,
    });
    expect(byCallback).toMatchObject({ finishReason: "cancelled", ids: { length: 5 } });

    const controller = new AbortController();
    const bySignal = await theirs.generateStream(
      prompt,
      ({ index }) => {
        if (index === 4) controller.abort();
      },
      { maxTokens: 1000, signal: controller.signal },
    );
    expect(bySignal).toMatchObject({ finishReason: "aborted", ids: { length: 5 } });
  });

  it("ends generate() with the tokens so far", async () => {
    const controller = new AbortController();
    const running = theirs.generate(prompt, { maxTokens: 900, signal: controller.signal });
    setImmediate(() => setImmediate(() => controller.abort()));
    const { finishReason, ids } = await running;
    expect(finishReason).toBe("aborted");
    expect(ids.length).toBeLessThan(900);
    const { ids: whole } = await theirs.generate(prompt, { maxTokens: Math.max(1, ids.length) });
    expect(ids).toEqual(whole.slice(0, ids.length));
  });

  it("does not begin when the signal was aborted before", async () => {
    const config = { signal: AbortSignal.abort() };
    const { generate, stream, streamAsync } = await allModes(theirs, prompt, config);
    for (const result of [generate, stream, streamAsync]) {
      expect(result).toMatchObject({ finishReason: "aborted", ids: [], text: "" });
    }
  });
});

describe("what cannot be honoured is refused", () => {
  it.each<[string, GenerationConfig]>([
    ["topP", { topP: 0.9, temperature: 1 }],
    ["minP", { minP: 0.1, temperature: 1 }],
    ["typicalP", { typicalP: 0.9, temperature: 1 }],
    ["presencePenalty", { presencePenalty: 1 }],
    ["frequencyPenalty", { frequencyPenalty: 1 }],
    ["logitBias", { logitBias: { 1: 1 } }],
    ["minTokens", { minTokens: 3 }],
    ["stop", { stop: "." }],
    ["logprobs", { logprobs: true }],
    ["seed", { seed: 1, temperature: 1 }],
  ])("%s", async (option, config) => {
    const expected = {
      code: "INVALID_CONFIG",
      message: expect.stringContaining(`"${option}"`) as string,
    };
    await expect(theirs.generate(prompt, config)).rejects.toMatchObject(expected);
    const stream = theirs.generateStream(prompt, () => undefined, config);
    await expect(stream).rejects.toMatchObject(expected);
    const { result } = theirs.generateStreamAsync(prompt, config);
    await expect(result).rejects.toMatchObject(expected);
  });

  it("a prompt that is too long, or not of this vocabulary", async () => {
    const long = Array.from({ length: 1024 }, () => 40);
    await expect(theirs.generate(long)).rejects.toMatchObject({
      code: "PROMPT_TOO_LONG",
      message: expect.stringMatching(/1024 tokens.*to 1023/) as string,
    });
    await expect(theirs.generate([40, 10_000_000])).rejects.toMatchObject({
      code: "INVALID_PROMPT",
      message: expect.stringMatching(/10000000 at position 1/) as string,
    });
    await expect(theirs.generate(prompt, { stopTokenIds: [10_000_000] })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
    });
  });

  it("what is no model and no tokenizer", () => {
    const wrong = (options: unknown) => () => createTransformersGenerator(options as never);
    expect(wrong({ model: {}, tokenizer })).toThrow(/AutoModelForCausalLM/);
    expect(wrong({ model, tokenizer: {} })).toThrow(/AutoTokenizer/);
    const withEncoder = { generate: () => undefined, config: { is_encoder_decoder: true } };
    expect(wrong({ model: withEncoder, tokenizer })).toThrow(/has an encoder/);
  });
});

describe("a failure of transformers.js", { timeout: patience }, () => {
  it("comes with the tokens before it", async () => {
    const failing: TransformersModel = {
      config: model.config,
      generation_config: model.generation_config,
      generate: (options) => {
        let step = 0;
        return model.generate({
          ...options,
          logits_processor: [
            (_ids: unknown, logits: unknown) => {
              if ((step += 1) === 4) throw new Error("no memory left");
              return logits;
            },
          ] as never,
        });
      },
    };
    const generator = createTransformersGenerator({ model: failing, tokenizer });
    const { ids, text } = await ours.generate(prompt, { maxTokens: 3 });
    const expected = { code: "ENGINE_FAILED", message: "no memory left", partial: { ids, text } };
    await expect(generator.generate(prompt)).rejects.toMatchObject(expected);
    const stream = generator.generateStream(prompt, () => undefined);
    await expect(stream).rejects.toMatchObject(expected);
  });
});

describe("an end of transformers.js that nobody asked for", { timeout: patience }, () => {
  it("is a failure in all modes, and not taken for the limit", async () => {
    const impatient: TransformersModel = {
      config: model.config,
      generation_config: model.generation_config,
      generate: (options) => model.generate({ ...options, max_new_tokens: 3 }),
    };
    const generator = createTransformersGenerator({ model: impatient, tokenizer });
    const { ids, text } = await ours.generate(prompt, { maxTokens: 3 });
    const expected = {
      code: "ENGINE_FAILED",
      message: expect.stringMatching(/ended after 3 of 10 tokens.*generation_config/) as string,
      partial: { ids, text },
    };
    const config = { maxTokens: 10 };
    await expect(generator.generate(prompt, config)).rejects.toMatchObject(expected);
    await expect(generator.generateStream(prompt, () => undefined, config)).rejects.toMatchObject(
      expected,
    );
    await expect(generator.generateStreamAsync(prompt, config).result).rejects.toMatchObject(
      expected,
    );
  });

  it("is told by name where the tokenizer gives no ids", async () => {
    for (const answer of [undefined, {}, { input_ids: [1, 2] }, { input_ids: "" }]) {
      const strange = Object.assign(() => answer, { decode: () => "" });
      const generator = createTransformersGenerator({ model, tokenizer: strange });
      await expect(generator.generate(prompt)).rejects.toMatchObject({
        code: "ENGINE_FAILED",
        message: expect.stringMatching(/tokenizer.*input_ids.*AutoTokenizer/) as string,
      });
    }
  });
});

describe("incremental text", () => {
  it.each([
    "It is not down in any map; true places never are.",
    "naïve café — “quoted” … 🐋🐳 鯨 e\u0301",
    "  two  spaces\n\n\tand a tab ",
  ])("of %j is the whole text, and no piece is half a character", (text) => {
    const ids = Array.from(
      (tokenizer(text) as { input_ids: { data: BigInt64Array } }).input_ids.data,
      Number,
    );
    const decode = (some: number[]): string =>
      tokenizer.decode(some, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    const incremental = createIncrementalText(decode);
    const pieces = ids.map((id) => incremental.push(id));
    expect(pieces.join("")).toBe(text);
    expect(pieces.join("")).not.toContain("\uFFFD");
    expect(incremental.flush()).toBe("");
    // Cut inside of the text, the rest is what a decoder makes of it.
    for (let length = 1; length < ids.length; length += 1) {
      const cut = createIncrementalText(decode);
      const given = ids.slice(0, length).map((id) => cut.push(id));
      expect(given.join("") + cut.flush()).toBe(decode(ids.slice(0, length)));
    }
  });
});

describe("the bench", { timeout: patience }, () => {
  it("measures it like any generator", async () => {
    await inTemporaryFolder(async (outputFolder) => {
      const { record } = await runBench({
        preset: presetOf(cellPlan({ tokens: 12, blocks: 6 })),
        seed: 1,
        outputFolder,
        openGenerator: () =>
          Promise.resolve({
            ...theirs,
            describe: () => ({ library: "transformers.js" }),
            close: () => Promise.resolve(),
          }),
      });
      const [cell] = record.cells;
      expect(cell?.failure).toBeNull();
      expect(cell).toMatchObject({ status: "complete", promptTokens: 3 });
      expect(cell?.blocks).toHaveLength(6);
    });
  });
});
