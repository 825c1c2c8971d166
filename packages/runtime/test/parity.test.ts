import { createRequire } from "node:module";
import type { PreTrainedModel, PreTrainedTokenizer, Tensor } from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createInlineGenerator, createRuntime, type Runtime } from "@streamgauge/runtime";
import type { Generator } from "@streamgauge/core";
import { openTransformersReference } from "./transformers-reference.js";

const newTokens = 200;
const prompts = [
  "Call me Ishmael.",
  "Fellow citizens of the Senate and House of Representatives:",
  "And God said, Let there be",
  "The whale",
  "In the year 1850 the Treasury of the United States",
  "It was a clear steel-blue day. The firmaments of air and sea were hardly separable",
];

describe("transformers.js on the folder we build", () => {
  let model: PreTrainedModel;
  let tokenizer: PreTrainedTokenizer;
  let pooled: Runtime;
  let inline: Generator & AsyncDisposable;

  beforeAll(async () => {
    ({ model, tokenizer } = await openTransformersReference());
    pooled = await createRuntime();
    inline = await createInlineGenerator();
  });
  afterAll(async () => {
    await model.dispose();
    await pooled.close();
    await inline[Symbol.asyncDispose]();
  });

  it.each(prompts)(
    "makes the same 200 greedy ids and text as this runtime after %j",
    async (prompt) => {
      const inputs = tokenizer(prompt) as { input_ids: Tensor };
      const promptTokens = inputs.input_ids.dims[1] ?? 0;
      const sequences = await model.generate({
        ...inputs,
        do_sample: false,
        max_new_tokens: newTokens,
      });
      const all = Array.from((sequences as Tensor).data as BigInt64Array, Number);
      const theirs = all.slice(promptTokens);
      // None of these prompts leads to an early end, so nothing has to be suppressed.
      expect(theirs).toHaveLength(newTokens);

      for (const generator of [pooled, inline]) {
        const ours = await generator.generate(prompt, { maxTokens: newTokens });
        expect(ours.ids).toEqual(theirs);
        expect(ours.text).toBe(tokenizer.decode(theirs, { skip_special_tokens: true }));
        expect(ours.usage.promptTokens).toBe(promptTokens);
      }
    },
  );

  it("runs on the onnxruntime we run on, so that only the loop differs", () => {
    const ours = createRequire(import.meta.url);
    const theirs = createRequire(ours.resolve("@huggingface/transformers"));
    expect(theirs.resolve("onnxruntime-node")).toBe(ours.resolve("onnxruntime-node"));
  });
});
