import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GraphBuilder } from "../../src/onnx/build/graph-builder.js";
import { randomWeights } from "../../src/onnx/build/weights.js";
import { writeModelFiles } from "../../src/onnx/build/model-file.js";
import { layOutModel } from "../../src/onnx/build/model-layout.js";
import { ElementType } from "../../src/onnx/protobuf.js";
import { writeConcat } from "./concat-rows.js";
import { hubRow } from "./group-query-folders.js";
import type { ZooRow } from "./zoo-row.js";

const vocabulary = 40;
const contextLength = 128;
const [heads, headWidth] = [2, 4];

const { int64, int32, float16, float32 } = ElementType;
// Types that graphs of this project do not use, by their numbers in ONNX.
const [int8, boolean, bfloat16] = [3, 9, 16] as unknown as ElementType[] as [
  ElementType,
  ElementType,
  ElementType,
];

/** An input: its type, then its dimensions. */
type Value = readonly [element: ElementType, ...dimensions: (number | string)[]];

const cacheDimensions = ["batch_size", heads, "past_sequence_length", headWidth] as const;
const cache: Readonly<Record<string, Value>> = {
  "past_key_values.0.key": [float32, ...cacheDimensions],
  "past_key_values.0.value": [float32, ...cacheDimensions],
};
const standardInputs: Readonly<Record<string, Value>> = {
  input_ids: [int64, "batch_size", "sequence_length"],
  attention_mask: [int64, "batch_size", "total_sequence_length"],
  ...cache,
};

interface RefusedGraph {
  /** Instead of, or beside, those of a plain decoder; undefined for one that it has not. */
  readonly inputs?: Readonly<Record<string, Value | undefined>>;
  /** What outputs are called that have other names than inputs suggest; undefined: it has none. */
  readonly outputs?: Readonly<Record<string, string | undefined>>;
  /** What the file says of outputs, where it says something. */
  readonly returned?: Readonly<Record<string, Value>>;
  /** The folder is onnxruntime-genai's, and this is its decoder's part. */
  readonly genai?: object;
  readonly graphName?: string;
}

/** A graph that has the inputs and outputs, and returns its caches as they came. */
async function writeRefused(
  folder: string,
  { inputs = {}, outputs = {}, returned: said = {}, genai, graphName = "model.onnx" }: RefusedGraph,
): Promise<void> {
  const values = Object.entries({ ...standardInputs, ...inputs }).filter(
    (entry): entry is [string, Value] => entry[1] !== undefined,
  );
  const named = (name: string): string | undefined => (name in outputs ? outputs[name] : name);
  const builder = new GraphBuilder({ float: float32 });
  const table = builder.floats("table", [vocabulary, vocabulary], () => [
    Float32Array.from({ length: vocabulary ** 2 }, (_, at) => Math.sin(at * 7)),
  ]);
  const results: string[] = [];
  const returned = (operator: string, from: readonly string[], name: string): void => {
    const own = named(name);
    if (own !== undefined) results.push(builder.node(operator, from, [own]));
  };
  const hasIds = values.some(([name]) => name === "input_ids");
  if (hasIds) returned("Gather", [table, "input_ids"], "logits");
  else returned("MatMul", ["inputs_embeds", table], "logits");
  for (const [name] of values) {
    if (!name.startsWith("past")) continue;
    returned(
      "Identity",
      [name],
      name.replace("past_key_values", "present").replace("past", "present"),
    );
  }
  const built = builder.build(
    "refused",
    values.map(([name, [element, ...dimensions]]) => ({ name, type: { element, dimensions } })),
    results.map((name) => {
      const [element, ...dimensions] = said[name] ?? [];
      return element === undefined ? { name } : { name, type: { element, dimensions } };
    }),
    { "": 17 },
  );
  const isGenai = genai !== undefined;
  const inner = isGenai ? folder : join(folder, "onnx");
  await mkdir(inner, { recursive: true });
  const sizes = { vocab_size: vocabulary };
  const config = isGenai
    ? { model: { type: "gpt2", ...sizes, context_length: contextLength, decoder: genai } }
    : { model_type: "llama", ...sizes, max_position_embeddings: contextLength };
  const configFile = join(folder, isGenai ? "genai_config.json" : "config.json");
  await writeFile(configFile, JSON.stringify(config));
  const layout = layOutModel(join(inner, graphName), built, false);
  await writeModelFiles(layout, built.tensorGroups, randomWeights(1), () => undefined);
}

/**
 * @param says whatever the message has to have: the input, and what is missing or wrong with it
 */
function refused(
  name: string,
  seenIn: string,
  says: readonly string[],
  write: ZooRow["write"],
): ZooRow {
  return {
    name,
    seenIn,
    write,
    vocabulary,
    contextLength,
    expected: {
      code: "MODEL_UNSUPPORTED",
      says: new RegExp(says.map((part) => `(?=.*(?:${part}))`).join(""), "s"),
    },
    transformers: false,
  };
}

function row(name: string, seenIn: string, says: readonly string[], graph: RefusedGraph): ZooRow {
  return refused(name, seenIn, says, (folder) => writeRefused(folder, graph));
}

const stateInput = String.raw`past_conv\.1`;
const keyInput = String.raw`past_key_values\.0\.key`;
const rank = "rank|dimensions";
const combined = `combined|in one|one tensor|${rank}`;
const noCache = Object.fromEntries(Object.keys(cache).map((name) => [name, undefined]));
const both = (element: ElementType, ...dimensions: (number | string)[]): Record<string, Value> =>
  Object.fromEntries(Object.keys(cache).map((name) => [name, [element, ...dimensions]]));
const combinedCache = { ...noCache, past_0: [float32, 2, ...cacheDimensions] } as const;

/** Graphs that this runtime cannot feed: each is refused by what it cannot be fed. */
export const refusedRows: readonly ZooRow[] = [
  refused(
    "input_ids of 32 bits",
    "graphs for accelerators, from TensorFlow",
    ["input_ids", "int32"],
    (folder) => writeConcat(folder, { narrowInputs: ["input_ids"] }),
  ),
  refused(
    "attention_mask of 32 bits",
    "Olive, graphs for accelerators",
    ["attention_mask", "int32"],
    (folder) => writeConcat(folder, { narrowInputs: ["attention_mask"] }),
  ),
  refused(
    "ids, mask and positions of 32 bits",
    "graphs for accelerators, from TensorFlow",
    ["input_ids", "int32"],
    (folder) =>
      writeConcat(folder, { narrowInputs: ["input_ids", "attention_mask", "position_ids"] }),
  ),
  row(
    "attention_mask of floats",
    "onnxruntime's converter of GPT-2",
    ["attention_mask", "float32"],
    { inputs: { attention_mask: [float32, "batch_size", "total_sequence_length"] } },
  ),
  row("attention_mask for each query", "torch.onnx.export by hand", ["attention_mask", rank], {
    inputs: {
      attention_mask: [int64, "batch_size", 1, "sequence_length", "total_sequence_length"],
    },
  }),
  row("no attention_mask", "torch.onnx.export by hand", ["attention_mask"], {
    inputs: { attention_mask: undefined },
  }),
  row("position_ids of rank 3", "Qwen2-VL, Qwen3.5 (optimum)", ["position_ids", rank], {
    inputs: { position_ids: [int64, 3, "batch_size", "sequence_length"] },
  }),
  row("token_type_ids", "torch.onnx.export of GPT-2 by hand", ["token_type_ids"], {
    inputs: { token_type_ids: [int64, "batch_size", "sequence_length"] },
  }),
  row("cache_position", "torch.onnx.export with a static cache", ["cache_position"], {
    inputs: { cache_position: [int64, "sequence_length"] },
  }),
  row("lengths as inputs", "graphs for NPUs (Olive, Foundry Local)", ["past_seq_len"], {
    inputs: { attention_mask: undefined, past_seq_len: [int32, 1, 1], total_seq_len: [int32, 1] },
  }),
  row("fixed past length", "graphs for NPUs", [keyInput, String.raw`\b127\b`], {
    inputs: both(float32, 1, heads, 127, headWidth),
  }),
  row("fixed length of the mask", "graphs for NPUs", ["attention_mask", String.raw`\b128\b`], {
    inputs: { attention_mask: [int64, "batch_size", 128] },
  }),
  row("sequence length 1", "token generators for NPUs", ["input_ids", String.raw`\b(1|one)\b`], {
    inputs: { input_ids: [int64, "batch_size", 1] },
  }),
  row("caches of rank 3", "Bloom (older optimum)", [keyInput, rank], {
    inputs: {
      "past_key_values.0.key": [float32, "batch_size_x_heads", headWidth, "past_sequence_length"],
      "past_key_values.0.value": [float32, "batch_size_x_heads", "past_sequence_length", headWidth],
    },
  }),
  row("caches of rank 5", "keys and values stacked", [keyInput, rank], {
    inputs: both(float32, 2, ...cacheDimensions),
  }),
  row(
    "caches with the rows first",
    "ChatGLM (optimum)",
    [keyInput, "past_sequence_length|dimension"],
    {
      inputs: both(float32, "past_sequence_length", "batch_size", heads, headWidth),
    },
  ),
  row(
    "keys with the rows last",
    "graphs for accelerators",
    [keyInput, "past_sequence_length|dimension"],
    {
      inputs: {
        "past_key_values.0.key": [float32, "batch_size", heads, headWidth, "past_sequence_length"],
      },
    },
  ),
  row("keys and values in one", "GPT-BigCode, StarCoder (optimum)", [`${keyInput}_value`], {
    inputs: {
      ...noCache,
      "past_key_values.0.key_value": [float32, "batch_size", "past_sequence_length", 2 * headWidth],
    },
  }),
  row("caches of bfloat16", "torch.onnx.export by hand", [keyInput, "bfloat16"], {
    inputs: both(bfloat16, ...cacheDimensions),
  }),
  row("caches of 8 bits", "quantised caches", [keyInput, "int8"], {
    inputs: both(int8, ...cacheDimensions),
  }),
  row(
    "past_0, with keys and values in one",
    "onnxruntime's converter of GPT-2",
    ["past_0", combined],
    { inputs: combinedCache },
  ),
  row(
    "combined cache in genai's layout",
    "onnxruntime-genai, GPT-2",
    ["past_names|past_0", combined],
    {
      inputs: combinedCache,
      genai: {
        filename: "model.onnx",
        head_size: headWidth,
        num_key_value_heads: heads,
        inputs: {
          input_ids: "input_ids",
          attention_mask: "attention_mask",
          past_names: "past_%d",
        },
        outputs: { logits: "logits", present_names: "present_%d" },
      },
    },
  ),
  row(
    "an encoder's states",
    "T5, BART (optimum)",
    ["encoder_hidden_states", "encoder.decoder|an encoder"],
    {
      graphName: "decoder_model_merged.onnx",
      inputs: {
        attention_mask: undefined,
        ...noCache,
        encoder_attention_mask: [int64, "batch_size", "encoder_sequence_length"],
        encoder_hidden_states: [float32, "batch_size", "encoder_sequence_length", 16],
        use_cache_branch: [boolean, 1],
        "past_key_values.0.decoder.key": [float32, ...cacheDimensions],
        "past_key_values.0.decoder.value": [float32, ...cacheDimensions],
        "past_key_values.0.encoder.key": [float32, ...cacheDimensions],
        "past_key_values.0.encoder.value": [float32, ...cacheDimensions],
      },
    },
  ),
  row(
    "inputs_embeds",
    "models that see (onnx-community)",
    ["inputs_embeds", "input_ids", "embedding"],
    {
      inputs: {
        input_ids: undefined,
        inputs_embeds: [float32, "batch_size", "sequence_length", vocabulary],
      },
    },
  ),
  row("states without a size", "torch.onnx.export by hand", [stateInput, "conv_kernel", "state"], {
    inputs: { "past_conv.1": [float32, "batch_size", 16, "conv_kernel"] },
  }),
  row("states of 8 bits", "quantised states", [stateInput, "int8"], {
    inputs: { "past_conv.1": [int8, "batch_size", 16, 3] },
  }),
  row("states that are not returned", "graphs that were cut", [String.raw`present_conv\.1`], {
    inputs: { "past_conv.1": [float32, "batch_size", 16, 3] },
    outputs: { "present_conv.1": undefined },
  }),
  row(
    "states that are returned in another size",
    "graphs that return a run's columns",
    [String.raw`present_conv\.1`, stateInput, String.raw`\[batch_size, 16, 1\]`],
    {
      inputs: { "past_conv.1": [float32, "batch_size", 16, 3] },
      returned: { "present_conv.1": [float32, "batch_size", 16, 1] },
    },
  ),
  row(
    "states that are returned in another type",
    "graphs that were halved in part",
    [String.raw`present_conv\.1`, stateInput, "float16", "float32"],
    {
      inputs: { "past_conv.1": [float32, "batch_size", 16, 3] },
      returned: { "present_conv.1": [float16, "batch_size", 16, 3] },
    },
  ),
  row("states by other names", "exporters by hand", [String.raw`past_mamba_state\.1`, "state"], {
    inputs: { "past_mamba_state.1": [float32, "batch_size", 2, 8, 16] },
  }),
  row("compressed caches", "DeepSeek-V4 (onnx-community)", [String.raw`past_compressor\.1\.kv`], {
    inputs: { "past_compressor.1.kv": [float32, "batch_size", "compressed_length", 16] },
  }),
  refused(
    "states that no run goes on from",
    "exports that return the wrong columns",
    [String.raw`past_conv\.0`, "other logits"],
    hubRow("", "", { states: ["convolution, of the first columns", undefined] }).write,
  ),
  row("an unknown input of floats", "models that hear or speak", ["speaker_embeddings"], {
    inputs: { speaker_embeddings: [float32, "batch_size", 16] },
  }),
  row("no cache at all", "optimum's decoder_model.onnx", [keyInput], { inputs: noCache }),
  row("a cache that is not returned", "graphs that were cut", [String.raw`present\.0\.key`], {
    outputs: { "present.0.key": undefined },
  }),
  row("no logits", "feature extraction", ["logits"], { outputs: { logits: "last_hidden_state" } }),
  refused(
    "present holds this run's rows alone",
    "graphs for NPUs, whose host keeps the cache",
    [String.raw`present\.0\.key`],
    (folder) => writeConcat(folder, { cuts: "new", causal: "trilu" }),
  ),
];
