import type { CheckpointConfig, SourceType } from "./random-checkpoint.js";

/** A tiny checkpoint with the peculiarities of a real configuration. */
export interface FamilyCheckpoint {
  readonly name: string;
  readonly config: CheckpointConfig;
  readonly type: SourceType;
  readonly shards: number;
  /** Most ids that are computed as a short context. */
  readonly border?: number;
  /** Whether the family is built in half precision too; default: yes. */
  readonly half?: false;
  /** Of the weights in the course, in which a model must not say the same again and again. */
  readonly seed?: number;
}

const llama: CheckpointConfig = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 80,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};

const qwen2 = { ...llama, architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" };
const qwen3 = { ...llama, architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" };

/** Frequencies kept, blended and slowed: their wavelengths are 6, 20, 63 and more. */
const llama3 = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
};

const mistral = {
  ...llama,
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  tie_word_embeddings: false,
  hidden_act: "silu",
};

const gemma3 = {
  ...llama,
  architectures: ["Gemma3ForCausalLM"],
  model_type: "gemma3_text",
  num_hidden_layers: 3,
  num_key_value_heads: 1,
  head_dim: 32,
  rms_norm_eps: 1e-6,
  attention_bias: false,
  attn_logit_softcapping: null,
  final_logit_softcapping: null,
  hidden_activation: "gelu_pytorch_tanh",
  query_pre_attn_scalar: 24,
  rope_theta: 1e6,
  rope_local_base_freq: 10_000,
  sliding_window: 16,
};

const phi3 = {
  ...llama,
  architectures: ["Phi3ForCausalLM"],
  model_type: "phi3",
  tie_word_embeddings: false,
  hidden_act: "silu",
  attention_bias: false,
};

/** From one to another, geometrically, as LongRoPE's factors grow. */
function growing(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)));
}

/** Most ids of a short context in the checkpoints with LongRoPE. */
const longRopeBorder = 80;

/** What LongRoPE needs beside its lists of factors. */
function longRope(pairs: number): object {
  return {
    original_max_position_embeddings: longRopeBorder,
    rope_scaling: {
      type: "longrope",
      short_factor: growing(1, 1.3, pairs),
      long_factor: growing(1.1, 6, pairs),
    },
  };
}

/** Those that were built from the beginning. */
export const firstFamilies: readonly FamilyCheckpoint[] = [
  { name: "Llama, from bf16", config: llama, type: "BF16", shards: 1 },
  {
    name: "Llama 3, untied, in three files",
    config: { ...llama, rope_scaling: llama3, tie_word_embeddings: false },
    type: "F32",
    shards: 3,
  },
  {
    name: "Llama with every bias, from fp16",
    config: { ...llama, attention_bias: true },
    type: "F16",
    shards: 1,
  },
  {
    name: "Qwen2, one key for all heads",
    config: { ...qwen2, num_key_value_heads: 1 },
    type: "BF16",
    shards: 2,
  },
  {
    name: "Qwen2, untied",
    config: { ...qwen2, tie_word_embeddings: false },
    type: "F32",
    shards: 1,
  },
  {
    name: "Qwen3, wide heads",
    config: { ...qwen3, head_dim: 32, rope_theta: 1e6 },
    type: "BF16",
    shards: 1,
  },
  // Rows of 40 and 72 end in padded blocks.
  {
    name: "Qwen3, widths that blocks do not fit",
    config: { ...qwen3, hidden_size: 40, intermediate_size: 72 },
    type: "F32",
    shards: 1,
  },
];

/** Those whose whole course is run. */
export const furtherFamilies: readonly FamilyCheckpoint[] = [
  {
    name: "Mistral, windows of 24",
    config: { ...mistral, sliding_window: 24 },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Mistral Nemo, wide heads without windows",
    config: { ...mistral, head_dim: 32, rope_theta: 1e6, sliding_window: null },
    type: "BF16",
    shards: 2,
  },
  {
    name: "SmolLM3, every fourth layer not turned",
    config: {
      ...llama,
      architectures: ["SmolLM3ForCausalLM"],
      model_type: "smollm3",
      num_hidden_layers: 4,
      no_rope_layers: [1, 1, 1, 0],
      no_rope_layer_interval: 4,
      layer_types: Array.from({ length: 4 }, () => "full_attention"),
      rope_theta: 5e6,
      sliding_window: null,
      use_sliding_window: false,
      attention_bias: false,
      mlp_bias: false,
    },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Granite, four multipliers",
    config: {
      ...llama,
      architectures: ["GraniteForCausalLM"],
      model_type: "granite",
      attention_bias: false,
      mlp_bias: false,
      attention_multiplier: 0.4,
      embedding_multiplier: 12,
      logits_scaling: 8,
      residual_multiplier: 0.22,
      rope_scaling: null,
      rope_theta: 1e7,
    },
    type: "BF16",
    shards: 1,
  },
  {
    name: "OLMo-2, norms behind the branches",
    config: {
      ...llama,
      architectures: ["Olmo2ForCausalLM"],
      model_type: "olmo2",
      rms_norm_eps: 1e-6,
      rope_theta: 500_000,
      tie_word_embeddings: false,
    },
    type: "F32",
    shards: 1,
  },
  {
    name: "Llama, linear rope",
    config: { ...llama, rope_scaling: { type: "linear", factor: 4 } },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Llama, dynamic rope",
    config: { ...llama, rope_scaling: { type: "dynamic", factor: 4 } },
    type: "BF16",
    shards: 1,
    seed: 6,
  },
  {
    name: "Qwen2, YaRN",
    config: {
      ...qwen2,
      head_dim: 32,
      rope_scaling: { type: "yarn", factor: 4, original_max_position_embeddings: 128 },
    },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Llama, YaRN with everything stated",
    config: {
      ...llama,
      head_dim: 32,
      rope_scaling: {
        rope_type: "yarn",
        factor: 8,
        original_max_position_embeddings: 64,
        attention_factor: 1.3,
        beta_fast: 16,
        beta_slow: 2,
        truncate: false,
      },
    },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Gemma-3, two rotations and windows of 16",
    config: { ...gemma3, sliding_window_pattern: 3 },
    type: "BF16",
    shards: 1,
    half: false,
  },
  {
    name: "Gemma-3, layers by name and linear rope",
    config: {
      ...gemma3,
      num_key_value_heads: 2,
      layer_types: ["sliding_attention", "full_attention", "sliding_attention"],
      rope_scaling: { rope_type: "linear", factor: 8 },
    },
    type: "BF16",
    shards: 1,
    half: false,
    seed: 6,
  },
  {
    name: "Phi-3-mini, stacked matrices and windows of 24",
    config: { ...phi3, num_key_value_heads: 4, rope_scaling: null, sliding_window: 24 },
    type: "BF16",
    shards: 1,
  },
  {
    name: "Phi-3-mini-128k, LongRoPE",
    config: { ...phi3, num_key_value_heads: 4, sliding_window: 2048, ...longRope(8) },
    type: "BF16",
    shards: 1,
    border: longRopeBorder,
  },
  {
    name: "Phi-4-mini, LongRoPE for three quarters of a head",
    config: {
      ...phi3,
      hidden_size: 128,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 64,
      partial_rotary_factor: 0.75,
      sliding_window: 2048,
      tie_word_embeddings: true,
      ...longRope(24),
    },
    type: "BF16",
    shards: 1,
    border: longRopeBorder,
  },
];
