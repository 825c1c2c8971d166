import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInlineGenerator, createRuntime, embeddedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/onnx/build/checkpoint.js";
import { parseDecoderConfig } from "../src/onnx/build/decoder-config.js";
import { buildDecoderGraph } from "../src/onnx/build/decoder-graph.js";
import { checkpointWeights } from "../src/onnx/build/weights.js";
import { numberFormat } from "../src/onnx/model-dtype.js";
import { writeModelFiles } from "../src/onnx/build/model-file.js";
import { layOutModel } from "../src/onnx/build/model-layout.js";
import { temporaryFolder } from "./temporary-folder.js";
import { renamed, usualNames } from "./zoo/genai-names.js";

const prompt = "It was a clear steel-blue day.";

const otherNames = {
  inputs: {
    input_ids: "tokens",
    attention_mask: "mask",
    past_key_names: "past_key_%d",
    past_value_names: "past_value_%d",
  },
  outputs: {
    logits: "scores",
    present_key_names: "new_key_%d_here",
    present_value_names: "new_value_%d_here",
  },
};

const genaiConfig = {
  model: {
    bos_token_id: 0,
    context_length: 1024,
    decoder: {
      session_options: { log_id: "onnxruntime-genai", provider_options: [] },
      filename: "decoder.onnx",
      head_size: 64,
      hidden_size: 256,
      ...usualNames,
      num_attention_heads: 4,
      num_hidden_layers: 4,
      num_key_value_heads: 2,
    },
    eos_token_id: 0,
    pad_token_id: 0,
    type: "llama",
    vocab_size: 2048,
  } as Record<string, unknown>,
  search: {
    do_sample: true,
    temperature: 0.7,
    top_k: 20,
    top_p: 0.8,
    repetition_penalty: 1.1,
    no_repeat_ngram_size: 0,
    num_beams: 1,
    past_present_share_buffer: true,
  },
};

/** The embedded model's tokenizer and its graph as they would lie in a folder for onnxruntime-genai. */
async function genaiFolder(config: object): Promise<string> {
  const folder = join(await temporaryFolder(), "genai");
  await mkdir(folder);
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await cp(join(embeddedModel, name), join(folder, name));
  }
  await cp(join(embeddedModel, "onnx", "model.onnx"), join(folder, "decoder.onnx"));
  await writeFile(join(folder, "genai_config.json"), JSON.stringify(config));
  return folder;
}

function decoderWith(fields: object): object {
  const { model } = genaiConfig;
  const decoder = { ...(model["decoder"] as object), ...fields };
  return { ...genaiConfig, model: { ...model, decoder } };
}

/** Builds the embedded model's graph with other names, weights beside it. */
async function writeRenamed(path: string): Promise<void> {
  const folder = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
  const file = join(folder, "config.json");
  const shape = parseDecoderConfig(await readFile(file, "utf8"), file);
  const usual = buildDecoderGraph(shape, numberFormat("fp32"));
  const built = renamed(usual, otherNames, shape.layers.length);
  const checkpoint = await openCheckpoint(folder);
  const weights = checkpointWeights(checkpoint);
  await writeModelFiles(
    layOutModel(path, built, true),
    built.tensorGroups,
    weights,
    () => undefined,
  );
  await checkpoint.close();
}

async function embedded(): Promise<{ ids: readonly number[]; text: string }> {
  await using generator = await createInlineGenerator();
  return await generator.generate(prompt, { maxTokens: 300, ignoreEos: true });
}

describe("a folder for onnxruntime-genai", () => {
  it("makes the ids and text of the same model in Hugging Face's layout", async () => {
    await using runtime = await createRuntime({ model: await genaiFolder(genaiConfig) });
    expect(runtime.describe()).toMatchObject({
      model: "genai",
      architecture: "llama",
      dtype: "unknown",
      vocabularySize: 2048,
      contextLength: 1024,
      eosTokenIds: [0],
      cache: "in-place",
      recommendedSampling: { temperature: 0.7, topK: 20, topP: 0.8, repetitionPenalty: 1.1 },
    });
    const { ids, text } = await embedded();
    const ours = await runtime.generate(prompt, { maxTokens: 300, ignoreEos: true });
    expect(ours.ids).toEqual(ids);
    expect(ours.text).toBe(text);
  });

  it("may call its inputs and outputs what it likes, and keeps the fast cache", async () => {
    const folder = await genaiFolder(decoderWith(otherNames));
    await rm(join(folder, "decoder.onnx"));
    await writeRenamed(join(folder, "decoder.onnx"));
    const generator = await createInlineGenerator({ model: folder });
    expect(generator.describe().cache).toBe("in-place");
    // Across several growths of the cache's buffers.
    const ours = await generator.generate(prompt, { maxTokens: 300, ignoreEos: true });
    expect(ours.ids).toEqual((await embedded()).ids);
    await generator.close();
  });

  it("ends at any of its end-of-sequence ids", async () => {
    const { ids } = await embedded();
    const last = ids[20]!;
    const eos = [2047, last];
    const folder = await genaiFolder({
      ...genaiConfig,
      model: { ...genaiConfig.model, eos_token_id: eos },
    });
    await using generator = await createInlineGenerator({ model: folder });
    expect(generator.describe().eosTokenIds).toEqual(eos);
    const ours = await generator.generate(prompt, { maxTokens: 300 });
    expect(ours.finishReason).toBe("eos");
    expect(ours.ids).toEqual(ids.slice(0, ids.indexOf(last) + 1));
  });

  it("is read in Hugging Face's way when it is in that layout too", async () => {
    const folder = join(await temporaryFolder(), "both");
    await cp(embeddedModel, folder, { recursive: true });
    await writeFile(join(folder, "genai_config.json"), "{}");
    await using generator = await createInlineGenerator({ model: folder });
    expect(generator.describe().dtype).toBe("fp32");
  });

  const without = (field: string): object => {
    const { [field]: _, ...model } = genaiConfig.model;
    return { ...genaiConfig, model };
  };
  it.each<[string, object, object, string, RegExp]>([
    ["a dtype", genaiConfig, { dtype: "q4" }, "INVALID_OPTION", /has one graph.*leave dtype out/],
    ["no model", {}, {}, "MODEL_CORRUPT", /genai_config\.json is damaged: its "model"/],
    ["no decoder", without("decoder"), {}, "MODEL_CORRUPT", /its "decoder" is not an object/],
    ["no graph's name", decoderWith({ filename: 3 }), {}, "MODEL_CORRUPT", /decoder\.filename/],
    [
      "a name that is none",
      decoderWith({ inputs: { input_ids: 5 } }),
      {},
      "MODEL_CORRUPT",
      /the name input_ids/,
    ],
    [
      "a cache of keys and values in one",
      decoderWith({ inputs: { input_ids: "input_ids", past_names: "past_%d" } }),
      {},
      "MODEL_UNSUPPORTED",
      /past_names "past_%d".* past_key_names, .* are missing/,
    ],
    [
      "a vocabulary beyond all",
      { ...genaiConfig, model: { ...genaiConfig.model, vocab_size: 1e12 } },
      {},
      "MODEL_CORRUPT",
      /no usable "vocab_size" .*not 1000000000000/,
    ],
    [
      "a context beyond all",
      { ...genaiConfig, model: { ...genaiConfig.model, context_length: 1e9 } },
      {},
      "MODEL_CORRUPT",
      /no usable "context_length"/,
    ],
    ["no context", without("context_length"), {}, "MODEL_CORRUPT", /no "context_length"/],
    [
      "half an end of sequence",
      { ...genaiConfig, model: { ...genaiConfig.model, eos_token_id: [0, 2.5] } },
      {},
      "MODEL_CORRUPT",
      /no usable "eos_token_id" .*not 2\.5/,
    ],
    [
      "a graph that is not there",
      decoderWith({ filename: "other.onnx" }),
      {},
      "MODEL_NOT_FOUND",
      /other\.onnx/,
    ],
    [
      "names that the graph has not",
      decoderWith(otherNames),
      {},
      "MODEL_UNSUPPORTED",
      /no input tokens; .*no input mask; .*no output scores; its input input_ids is none that/,
    ],
    [
      "a pipeline",
      decoderWith({ pipeline: [] }),
      {},
      "MODEL_UNSUPPORTED",
      /the part "pipeline".*one graph/,
    ],
    [
      "eyes",
      { ...genaiConfig, model: { ...genaiConfig.model, vision: {} } },
      {},
      "MODEL_UNSUPPORTED",
      /the part "vision"/,
    ],
  ])("is refused with %s", async (_, config, options, code, message) => {
    const model = await genaiFolder(config);
    await expect(createInlineGenerator({ model, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});

it("several end-of-sequence ids of generation_config.json end a completion, whichever comes", async () => {
  const { ids } = await embedded();
  const [first, second] = [ids[30]!, ids[12]!];
  const folder = join(await temporaryFolder(), "model");
  await cp(embeddedModel, folder, { recursive: true });
  const file = join(folder, "generation_config.json");
  const config = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...config, eos_token_id: [first, second] }));
  await using generator = await createInlineGenerator({ model: folder });
  expect(generator.describe().eosTokenIds).toEqual([first, second]);
  const ours = await generator.generate(prompt, { maxTokens: 300 });
  const end = Math.min(ids.indexOf(first), ids.indexOf(second));
  expect(ours.finishReason).toBe("eos");
  expect(ours.ids).toEqual(ids.slice(0, end + 1));
});
