import {
  LogitsProcessor,
  LogitsProcessorList,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  type Tensor,
} from "@huggingface/transformers";
import type { GenerationConfig } from "@streamgauge/core";
import { createInlineGenerator, type InlineGenerator } from "@streamgauge/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTransformersReference } from "./transformers-reference.js";

const prompts = [
  "Call me Ishmael.",
  "And God said, Let there be light: and there was light. And God saw the light",
  "In the year 1850 the Treasury of the United States",
];
const newTokens = 80;

/** Adds to one logit: transformers.js has no bias of its own, but takes processors. */
class Bias extends LogitsProcessor {
  readonly #id: number;
  readonly #bias: number;

  constructor(id: number, bias: number) {
    super();
    this.#id = id;
    this.#bias = bias;
  }

  override _call(_ids: bigint[][], logits: Tensor): Tensor {
    (logits.data as Float32Array)[this.#id]! += this.#bias;
    return logits;
  }
}

describe("transformers.js chooses the same ids", () => {
  let model: PreTrainedModel;
  let tokenizer: PreTrainedTokenizer;
  let ours: InlineGenerator;

  beforeAll(async () => {
    ({ model, tokenizer } = await openTransformersReference());
    ours = await createInlineGenerator();
  });
  afterAll(async () => {
    await model.dispose();
    await ours.close();
  });

  async function theirIds(prompt: string, options: object): Promise<number[]> {
    const inputs = tokenizer(prompt) as { input_ids: Tensor };
    const sequences = (await model.generate({
      ...inputs,
      do_sample: false,
      max_new_tokens: newTokens,
      ...options,
    })) as Tensor;
    return Array.from(sequences.data as BigInt64Array, Number).slice(inputs.input_ids.dims[1]);
  }

  it.each<[GenerationConfig, object]>([
    [{ repetitionPenalty: 1.2 }, { repetition_penalty: 1.2 }],
    [{ repetitionPenalty: 0.8 }, { repetition_penalty: 0.8 }],
    [{ noRepeatNgramSize: 1 }, { no_repeat_ngram_size: 1 }],
    [{ noRepeatNgramSize: 3 }, { no_repeat_ngram_size: 3 }],
    [
      { repetitionPenalty: 1.1, noRepeatNgramSize: 2 },
      { repetition_penalty: 1.1, no_repeat_ngram_size: 2 },
    ],
    [
      { temperature: 0.7, topK: 1 },
      { do_sample: true, temperature: 0.7, top_k: 1 },
    ],
    [
      { temperature: 1.7, topK: 1, repetitionPenalty: 1.3 },
      { do_sample: true, temperature: 1.7, top_k: 1, repetition_penalty: 1.3 },
    ],
  ])("with %o", async (config, options) => {
    for (const prompt of prompts) {
      const { ids } = await ours.generate(prompt, { maxTokens: newTokens, ...config });
      expect(ids).toEqual(await theirIds(prompt, options));
    }
  });

  it("does something with each of them", async () => {
    const plain = await theirIds(prompts[0]!, {});
    for (const options of [{ repetition_penalty: 1.2 }, { no_repeat_ngram_size: 3 }]) {
      expect(await theirIds(prompts[0]!, options)).not.toEqual(plain);
    }
  });

  it.each([0, 1, 25])("with a minimum of %d tokens before a likely end", async (minTokens) => {
    const eosId = 0;
    for (const prompt of prompts) {
      const processors = new LogitsProcessorList();
      processors.push(new Bias(eosId, 40));
      const theirs = await theirIds(prompt, {
        min_new_tokens: minTokens,
        logits_processor: processors,
      });
      const result = await ours.generate(prompt, {
        maxTokens: newTokens,
        minTokens,
        logitBias: { [eosId]: 40 },
      });
      expect(theirs.indexOf(eosId)).toBe(minTokens);
      expect(result.ids).toEqual(theirs);
    }
  });
});
