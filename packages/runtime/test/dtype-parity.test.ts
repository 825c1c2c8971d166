import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  type DataType,
  type Tensor,
} from "@huggingface/transformers";
import { createInlineGenerator } from "@streamgauge/runtime";
import { buildDtypes, buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const newTokens = 60;
const prompts = ["Call me Ishmael.", "And God said, Let there be"];

describe.each([false, true])("folders with external data: %s", (externalData) => {
  let parent: string;
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "streamgauge-"));
    env.allowRemoteModels = false;
    env.localModelPath = parent;
    const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
    const dtypes: readonly BuildDtype[] = ["q4f16", ...buildDtypes];
    await buildModel({ checkpoint, out: join(parent, "pequod"), dtypes, externalData });
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it.each([...buildDtypes, undefined])(
    "make the same greedy ids in transformers.js as here, in %s",
    async (dtype) => {
      const tokenizer = await AutoTokenizer.from_pretrained("pequod");
      const named = dtype === undefined ? {} : { dtype };
      const theirs = await AutoModelForCausalLM.from_pretrained("pequod", {
        device: "cpu",
        // "auto" is what the configuration says.
        dtype: (dtype ?? "auto") satisfies DataType,
      });
      await using ours = await createInlineGenerator({ model: join(parent, "pequod"), ...named });
      expect(ours.describe()).toMatchObject({ dtype: dtype ?? "q4f16", cache: "in-place" });
      for (const prompt of prompts) {
        const inputs = tokenizer(prompt) as { input_ids: Tensor };
        const sequences = (await theirs.generate({
          ...inputs,
          do_sample: false,
          max_new_tokens: newTokens,
        })) as Tensor;
        const all = Array.from(sequences.data as BigInt64Array, Number);
        const made = await ours.generate(prompt, { maxTokens: newTokens });
        expect(made.ids).toEqual(all.slice(inputs.input_ids.dims[1]));
        expect(made.ids).toHaveLength(newTokens);
      }
      await theirs.dispose();
    },
  );

  it("say in config.json what transformers.js has to know of them", async () => {
    const config = JSON.parse(
      await readFile(join(parent, "pequod", "config.json"), "utf8"),
    ) as object;
    const names = ["", "_fp16", "_quantized", "_int8", "_q4", "_q4f16"];
    expect(config).toMatchObject({
      model_type: "llama",
      vocab_size: 2048,
      "transformers.js_config": {
        dtype: "q4f16",
        kv_cache_dtype: { fp16: "float16", q4f16: "float16" },
      },
    });
    const files = Object.fromEntries(names.map((name) => [`model${name}.onnx`, 1]));
    const external = { "transformers.js_config": { use_external_data_format: files } };
    if (externalData) expect(config).toMatchObject(external);
    else expect(config).not.toHaveProperty(["transformers.js_config", "use_external_data_format"]);
  });
});
