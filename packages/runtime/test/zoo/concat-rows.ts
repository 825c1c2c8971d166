import { mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { BuiltGraph } from "../../src/onnx/build/graph-builder.js";
import { writeModelFiles } from "../../src/onnx/build/model-file.js";
import { layOutModel, type ModelLayout, type Place } from "../../src/onnx/build/model-layout.js";
import {
  encodeExternalTensor,
  encodeModelHeader,
  encodeTensorHeader,
  tensorByteLength,
} from "../../src/onnx/protobuf.js";
import { buildConcatDecoder, concatSizes, type ConcatLayout } from "./concat-decoder.js";
import { zooWeights } from "./concat-graph.js";
import type { ZooRow } from "./zoo-row.js";

const { vocabulary, context, width, heads, headWidth, layers, inner } = concatSizes;

/** Where the weights of a row's graph lie. */
type WeightsPlace =
  | "inside"
  | "one file"
  /** As transformers.js wants them: `model.onnx_data` and `model.onnx_data_1`. */
  | "two files"
  /** As torch.onnx.export writes a graph of more than 2 GB. */
  | "a file each";

interface ConcatFolder {
  /** The graph's file; its dtype in transformers.js's words. */
  readonly file?: string;
  readonly dtype?: string;
  readonly weights?: WeightsPlace;
  /** Instead of Llama's, without the context's length, which is under the names given. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Where the graph lies; default "onnx". */
  readonly inner?: string;
  /** Whether all files are links into a folder beside, by names that say nothing. */
  readonly links?: boolean;
  /** Whether `config.json` begins with a byte-order mark. */
  readonly byteOrderMark?: boolean;
}

export const llamaConfig = (keyHeads: number): Record<string, unknown> => ({
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: inner,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: keyHeads,
  head_dim: headWidth,
  max_position_embeddings: context,
});

const gptConfig = {
  model_type: "gpt2",
  architectures: ["GPT2LMHeadModel"],
  vocab_size: vocabulary,
  n_embd: width,
  n_head: heads,
  n_layer: layers,
  n_positions: context,
  n_ctx: context,
};

const bloomConfig = {
  model_type: "bloom",
  architectures: ["BloomForCausalLM"],
  vocab_size: vocabulary,
  hidden_size: width,
  n_head: heads,
  n_layer: layers,
  seq_length: context,
};

/** Writes a folder with a decoder whose cache grows by `Concat`. */
export async function writeConcat(
  folder: string,
  layout: ConcatLayout,
  options: ConcatFolder = {},
): Promise<void> {
  const { file = "model.onnx", dtype = "fp32", weights = "inside" } = options;
  const graphFolder = join(folder, options.inner ?? "onnx");
  await mkdir(graphFolder, { recursive: true });
  const chunks = { inside: 0, "one file": 1, "two files": 2, "a file each": 0 }[weights];
  const config = {
    ...(options.config ?? llamaConfig(layout.keyHeads ?? 2)),
    "transformers.js_config": {
      dtype,
      ...(chunks > 0 && { use_external_data_format: { [file]: chunks } }),
    },
  };
  const mark = options.byteOrderMark === true ? "\uFEFF" : "";
  await writeFile(join(folder, "config.json"), mark + JSON.stringify(config));
  const path = join(graphFolder, file);
  const built = buildConcatDecoder(layout);
  const files =
    weights === "inside" || weights === "one file"
      ? layOutModel(path, built, weights === "one file")
      : layOutApart(path, built, weights === "two files");
  await writeModelFiles(files, built.tensorGroups, zooWeights, () => undefined);
  if (options.links === true) await replaceByLinks(folder);
}

/** Each tensor of some size in a file of its own, or by turns in two. */
function layOutApart(path: string, built: BuiltGraph, inTwo: boolean): ModelLayout {
  const tensors = built.tensorGroups.flatMap((group) => group.tensors);
  const ends = new Map<string, number>();
  const places = new Map<string, Place>();
  const encoded = tensors.map((tensor, index) => {
    const byteLength = tensorByteLength(tensor);
    if (byteLength < 1024) {
      return { tensor, header: encodeTensorHeader(tensor), innerBytes: byteLength };
    }
    const turn = index % 2 === 0 ? "" : "_1";
    const file = inTwo ? `${path}_data${turn}` : join(path, "..", tensor.name);
    const position = ends.get(file) ?? 0;
    ends.set(file, position + byteLength);
    places.set(tensor.name, { file, position });
    const header = encodeExternalTensor(tensor, { file: basename(file), position });
    return { tensor, header, innerBytes: 0 };
  });
  const start = encodeModelHeader(
    built.graph,
    encoded.reduce((sum, { header, innerBytes }) => sum + header.length + innerBytes, 0),
    { irVersion: 8, producer: "pytorch", operatorSets: built.operatorSets },
  );
  const headers = [{ file: path, position: 0, bytes: start }];
  let position = start.length;
  for (const { tensor, header, innerBytes } of encoded) {
    headers.push({ file: path, position, bytes: header });
    position += header.length;
    if (!places.has(tensor.name)) places.set(tensor.name, { file: path, position });
    position += innerBytes;
  }
  const outside = [...ends.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { files: [path, ...ends.keys()], totalBytes: position + outside, headers, places };
}

/** As the Hugging Face hub's cache is: each file a link to `blobs/<hash>`. */
async function replaceByLinks(folder: string): Promise<void> {
  const blobs = `${folder}-blobs`;
  await mkdir(blobs);
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  for (const [index, entry] of entries.filter((found) => found.isFile()).entries()) {
    const blob = join(blobs, `blob${index}`);
    const path = join(entry.parentPath, entry.name);
    await rename(path, blob);
    await symlink(relative(entry.parentPath, blob), path);
  }
}

/** A row in Hugging Face's layout. */
export function concatRow(
  name: string,
  seenIn: string,
  layout: ConcatLayout,
  options: ConcatFolder & { readonly transformers?: boolean } = {},
): ZooRow {
  const { transformers = true, ...folderOptions } = options;
  return {
    name,
    seenIn,
    write: (folder) => writeConcat(folder, layout, folderOptions),
    vocabulary,
    contextLength: context,
    expected: "right",
    transformers,
  };
}

const row = concatRow;
const window = 24;

/** A cache that is cut to its window: what it holds is shorter than what was run. */
const cutRows: readonly ZooRow[] = [
  row(
    "present cut to the window, all layers",
    "Mistral, Gemma-3 with sliding caches (optimum, torch)",
    { windows: [window, window], cuts: "present" },
  ),
  row("present cut to the window, every second layer", "Gemma-2, Gemma-3, GPT-OSS (torch)", {
    windows: [window, undefined],
    cuts: "present",
  }),
  row("past cut to the window, all layers", "Mistral (transformers 4.34–4.36)", {
    windows: [window, window],
    cuts: "past",
  }),
  row("present cut to the window, positions from the mask", "torch.onnx.export by hand", {
    windows: [window, window],
    cuts: "present",
    positions: "mask",
  }),
];

/** Graphs whose cache grows by `Concat`. */
export const concatRows: readonly ZooRow[] = [
  ...cutRows,
  row("Concat, position_ids", "optimum: Llama, Qwen2, Phi", {}),
  row("Concat, positions from the mask", "optimum before 1.14: OPT, XGLM", { positions: "mask" }),
  row("Concat, positions from the past's shape", "torch.onnx.export of transformers ≥ 4.38", {
    positions: "past",
    causal: "trilu",
  }),
  row("Concat, mask by Trilu", "optimum 1.18 and later", { causal: "trilu" }),
  row("Concat, mask joined of two", "optimum 1.7–1.16", { causal: "joined", keyHeads: 4 }),
  row("Concat, windows that nothing is cut to", "optimum: Gemma-2, Mistral", {
    windows: [window, undefined],
  }),
  row("Concat, one head of keys", "optimum: Gemma-2B, Falcon", { keyHeads: 1 }),
  row(
    "merged If",
    "optimum's decoder_model_merged.onnx",
    { branches: true, keyHeads: 4, causal: "joined" },
    { file: "decoder_model_merged.onnx", transformers: false },
  ),
  row(
    "merged If, GPT-2",
    "optimum 1.7–1.13, Xenova/gpt2",
    { branches: true, fused: true, placing: "learnt", causal: "buffer", keyHeads: 4 },
    { file: "model.onnx", config: gptConfig },
  ),
  row("num_logits_to_keep", "onnx-community: Llama-3.2, Qwen3", { logitsCount: true }),
  row(
    "GPT-2: learnt positions, one product for three, as many key heads",
    "optimum: GPT-2, CodeGen",
    { fused: true, placing: "learnt", causal: "buffer", keyHeads: 4 },
    { config: gptConfig },
  ),
  row(
    "GPT-2, positions from the past's shape",
    "optimum before 1.14",
    { fused: true, placing: "learnt", causal: "buffer", keyHeads: 4, positions: "past" },
    { config: gptConfig },
  ),
  row(
    "slopes (ALiBi) by the mask's sum",
    "optimum: Bloom, MPT",
    { fused: true, placing: "slopes", causal: "trilu", keyHeads: 4, stem: "transformer" },
    { config: bloomConfig },
  ),
  row("outputs in reverse", "graphs that tools have rewritten", { reversed: true }),
  row("hidden_states in front of the logits", "exports with output_hidden_states", {
    hiddenStates: true,
  }),
  row(
    "fp16 throughout",
    "onnx-community: model_fp16.onnx",
    { format: "fp16" },
    { dtype: "fp16", file: "model_fp16.onnx" },
  ),
  row(
    "q4",
    "onnx-community: model_q4.onnx",
    { format: "q4" },
    { dtype: "q4", file: "model_q4.onnx" },
  ),
  row(
    "q4f16, logits of 32 bits",
    "onnx-community: model_q4f16.onnx",
    { format: "q4f16", wideLogits: true },
    { dtype: "q4f16", file: "model_q4f16.onnx" },
  ),
  row("static batch of 1", "torch.onnx.export without dynamic axes", { staticBatch: true }),
  row("external data in one file", "optimum, onnx-community", {}, { weights: "one file" }),
  row("external data in two files", "onnx-community, above 2 GB", {}, { weights: "two files" }),
  row(
    "external data in a file for each tensor",
    "torch.onnx.export, above 2 GB",
    {},
    { weights: "a file each", transformers: false },
  ),
  row(
    "links into blobs/, external data beside the links",
    "the Hugging Face hub's cache",
    {},
    { weights: "one file", links: true, transformers: false },
  ),
  row(
    "model.onnx at the folder's root",
    "optimum-cli export onnx",
    {},
    { inner: ".", transformers: false },
  ),
  row(
    "config.json with a byte-order mark",
    "files that Windows editors have saved",
    {},
    {
      byteOrderMark: true,
      transformers: false,
    },
  ),
  row(
    "sizes under text_config",
    "Gemma-3, Mistral-Small: text parts of models that see",
    {},
    {
      config: { model_type: "gemma3", text_config: llamaConfig(2) },
      transformers: false,
    },
  ),
];

/**
 * Rows whose ids depend on how ids are cut into runs, because each activation is rounded by the
 * range of its whole run: they are held against the same runs of a plain loop.
 */
export const byRangeRows: readonly ZooRow[] = [
  row(
    "activations quantised by their range (DynamicQuantizeLinear)",
    "onnxruntime's quantize_dynamic: model_quantized.onnx",
    { format: "dynamic" },
    { dtype: "q8", file: "model_quantized.onnx" },
  ),
  row(
    "merged If, activations quantised by their range",
    "Xenova: decoder_model_merged_quantized.onnx",
    { format: "dynamic", branches: true, keyHeads: 4, causal: "joined" },
    { dtype: "q8", file: "decoder_model_merged_quantized.onnx", transformers: false },
  ),
];
