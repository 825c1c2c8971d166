import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

import { float32ToFloat16, roundToFloat16 } from "../src/onnx/half-precision.js";

export type SourceType = "F32" | "F16" | "BF16";

/** The fields of `config.json` that shape a checkpoint; others are taken along. */
export interface CheckpointConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly model_type: string;
  readonly attention_bias?: boolean;
  readonly tie_word_embeddings: boolean;
  readonly [field: string]: unknown;
}

/** A matrix or, with one row, a vector. */
export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const usualNorms = ["input_layernorm", "post_attention_layernorm"];

/** Norms of a layer by `model_type`. */
const normNames: Readonly<Record<string, readonly string[]>> = {
  olmo2: ["post_attention_layernorm", "post_feedforward_layernorm"],
  gemma3_text: [...usualNorms, "pre_feedforward_layernorm", "post_feedforward_layernorm"],
};

/** Small and random, as Hugging Face would name and shape them; what `type` cannot hold is rounded. */
export function randomWeights(
  config: CheckpointConfig,
  type: SourceType,
  seed: number,
): Map<string, Weight> {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => generator.next() / 2 ** 31;
  const weights = new Map<string, Weight>();
  const add = (name: string, shape: readonly number[], make: () => number): void => {
    const length = shape.reduce((product, size) => product * size, 1);
    weights.set(name, { shape, values: rounded(Float32Array.from({ length }, make), type) });
  };
  const hidden = config.hidden_size;
  const linear = (name: string, rows: number, columns: number, bias: boolean): void => {
    add(`${name}.weight`, [rows, columns], () => (uniform() * 2) / Math.sqrt(columns));
    if (bias) add(`${name}.bias`, [rows], uniform);
  };
  // Gemma's weights lack their 1.
  const middle = config.model_type === "gemma3_text" ? 0 : 1;
  const norm = (name: string, size: number): void =>
    add(`${name}.weight`, [size], () => middle + uniform() / 2);
  const inputBias = config.model_type === "qwen2" || config.attention_bias === true;
  const queries = config.num_attention_heads * config.head_dim;
  const keys = config.num_key_value_heads * config.head_dim;

  // Small against what layers add, or a tied head would choose each id again and again.
  const multiplied =
    config.model_type === "gemma3_text"
      ? Math.sqrt(hidden)
      : ((config["embedding_multiplier"] as number | undefined) ?? 1);
  add("model.embed_tokens.weight", [config.vocab_size, hidden], () => uniform() / 8 / multiplied);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const name of normNames[config.model_type] ?? usualNorms) norm(`${at}.${name}`, hidden);
    const attention = `${at}.self_attn`;
    if (config.model_type === "phi3") {
      linear(`${attention}.qkv_proj`, queries + 2 * keys, hidden, false);
    } else {
      linear(`${attention}.q_proj`, queries, hidden, inputBias);
      linear(`${attention}.k_proj`, keys, hidden, inputBias);
      linear(`${attention}.v_proj`, keys, hidden, inputBias);
    }
    linear(`${attention}.o_proj`, hidden, queries, config.attention_bias === true);
    if (["qwen3", "gemma3_text"].includes(config.model_type)) {
      norm(`${attention}.q_norm`, config.head_dim);
      norm(`${attention}.k_norm`, config.head_dim);
    }
    if (config.model_type === "olmo2") {
      norm(`${attention}.q_norm`, queries);
      norm(`${attention}.k_norm`, keys);
    }
    const inner = config.intermediate_size;
    if (config.model_type === "phi3") linear(`${at}.mlp.gate_up_proj`, 2 * inner, hidden, false);
    else {
      linear(`${at}.mlp.gate_proj`, inner, hidden, false);
      linear(`${at}.mlp.up_proj`, inner, hidden, false);
    }
    linear(`${at}.mlp.down_proj`, hidden, inner, false);
  }
  norm("model.norm", hidden);
  if (!config.tie_word_embeddings) {
    add("lm_head.weight", [config.vocab_size, hidden], () => (uniform() * 2) / Math.sqrt(hidden));
  }
  return weights;
}

/** Writes `config.json` and the weights into a new folder: in one file, or in `shards` with an index. */
export async function writeCheckpoint(
  folder: string,
  config: CheckpointConfig,
  weights: ReadonlyMap<string, Weight>,
  type: SourceType,
  shards = 1,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  if (shards === 1) {
    await writeFile(join(folder, "model.safetensors"), safetensors([...weights], type));
    return;
  }
  const weight_map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    const part = [...weights].filter((_, index) => index % shards === shard);
    for (const [tensor] of part) weight_map[tensor] = name;
    await writeFile(join(folder, name), safetensors(part, type));
  }
  const index = { metadata: { total_size: 0 }, weight_map };
  await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
}

function safetensors(weights: readonly (readonly [string, Weight])[], type: SourceType): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, values }] of weights) {
    const bytes = encoded(values, type);
    header[name] = { dtype: type, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

function encoded(values: Float32Array, type: SourceType): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer);
  if (type === "F16") return new Uint8Array(float32ToFloat16(values).buffer);
  const words = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

function rounded(values: Float32Array, type: SourceType): Float32Array {
  if (type === "F16") return values.map(roundToFloat16);
  if (type === "BF16") {
    const words = new Uint32Array(values.buffer);
    for (const [i, word] of words.entries()) words[i] = word & 0xffff_0000;
  }
  return values;
}
