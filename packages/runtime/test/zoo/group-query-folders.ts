import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeModelFiles } from "../../src/onnx/build/model-file.js";
import { layOutModel } from "../../src/onnx/build/model-layout.js";
import { zooWeights } from "./concat-graph.js";
import { renamed, usualNames, type GenaiNames } from "./genai-names.js";
import { buildGroupQueryDecoder } from "./group-query-decoder.js";
import { groupQuerySizes, type GroupQueryLayout } from "./group-query-layout.js";
import type { ZooRow } from "./zoo-row.js";

/** Who writes onnxruntime-genai's folders. */
export const genaiBuilder = "onnxruntime-genai's model builder";

const { vocabulary, context, width, heads, headWidth, layers, inner } = groupQuerySizes;

export interface GroupQueryFolder {
  /** The graph's file. */
  readonly file?: string;
  /** Whether its weights lie in a file beside it. */
  readonly external?: boolean;
  /** More of the `config.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A folder as the hub has it. */
async function writeHubFolder(
  folder: string,
  layout: GroupQueryLayout,
  { file = "model.onnx", external = false, config = {} }: GroupQueryFolder = {},
): Promise<void> {
  await mkdir(join(folder, "onnx"), { recursive: true });
  const llama = {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    vocab_size: vocabulary,
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: layout.keyHeads?.[0] ?? 2,
    head_dim: layout.headWidths?.[0] ?? headWidth,
    max_position_embeddings: context,
  };
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...llama, ...config }));
  const built = buildGroupQueryDecoder(layout);
  const laidOut = layOutModel(join(folder, "onnx", file), built, external);
  await writeModelFiles(laidOut, built.tensorGroups, zooWeights, () => undefined);
}

/** A row in Hugging Face's layout. */
export function hubRow(
  name: string,
  seenIn: string,
  layout: GroupQueryLayout,
  options: GroupQueryFolder & Partial<Pick<ZooRow, "transformers" | "expected">> = {},
): ZooRow {
  const { transformers = true, expected = "right", ...folder } = options;
  return {
    name: layout.attention === undefined ? `GroupQueryAttention, ${name}` : name,
    seenIn,
    write: (place) => writeHubFolder(place, layout, folder),
    vocabulary,
    contextLength: context,
    expected,
    transformers,
  };
}

export interface GenaiFolder {
  /** What the graph's inputs and outputs are called instead of the usual; `%d` is the layer. */
  readonly names?: GenaiNames;
  /** More of `model.decoder`. */
  readonly decoder?: Readonly<Record<string, unknown>>;
  /** `past_present_share_buffer` */
  readonly sharesBuffer?: boolean;
  readonly external?: boolean;
}

/** Names that are nobody's. */
export const otherNames = {
  inputs: {
    input_ids: "tokens",
    attention_mask: "mask",
    position_ids: "places",
    past_key_names: "past_key_%d",
    past_value_names: "past_value_%d",
  },
  outputs: {
    logits: "scores",
    present_key_names: "present_key_%d",
    present_value_names: "present_value_%d",
  },
} as const;

/** A folder as onnxruntime-genai's model builder writes it. */
async function writeGenaiFolder(
  folder: string,
  layout: GroupQueryLayout,
  options: GenaiFolder = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { names = usualNames, sharesBuffer = true, external = true } = options;
  const config = {
    model: {
      bos_token_id: 1,
      context_length: context,
      decoder: {
        session_options: { log_id: "onnxruntime-genai", provider_options: [] },
        filename: "model.onnx",
        head_size: headWidth,
        hidden_size: width,
        ...names,
        num_attention_heads: heads,
        num_hidden_layers: layers,
        num_key_value_heads: 2,
        ...options.decoder,
      },
      eos_token_id: 2,
      pad_token_id: 2,
      type: "llama",
      vocab_size: vocabulary,
    },
    search: {
      do_sample: false,
      max_length: context,
      num_beams: 1,
      past_present_share_buffer: sharesBuffer,
      temperature: 1,
    },
  };
  await writeFile(join(folder, "genai_config.json"), JSON.stringify(config));
  const built = renamed(buildGroupQueryDecoder(layout), names, layers);
  const laidOut = layOutModel(join(folder, "model.onnx"), built, external);
  await writeModelFiles(laidOut, built.tensorGroups, zooWeights, () => undefined);
}

/** A row in onnxruntime-genai's layout. */
export function genaiRow(
  name: string,
  layout: GroupQueryLayout,
  options: GenaiFolder = {},
): ZooRow {
  return {
    name: `genai: ${name}`,
    seenIn: genaiBuilder,
    write: (folder) => writeGenaiFolder(folder, layout, options),
    vocabulary,
    contextLength: context,
    expected: "right",
    transformers: false,
  };
}
