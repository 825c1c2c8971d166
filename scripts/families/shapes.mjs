// Published shapes of the families that `build-model` knows, as their config.json has them, one or
// two of each that two cores run. Contexts beyond 32,768 are cut to it: the tables of positions
// would be all that grows.

/** What each shape is asked. The first generation's TTFT counts: later ones find the prompt cached. */
export const terms = { promptTokens: 64, generatedTokens: 64, generations: 3, threads: 2 };

const llama3Rope = {
  rope_type: "llama3",
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** One factor for each pair of a head that turns; their values do not change the speed. */
function longRope(pairs) {
  const factors = Array.from({ length: pairs }, (_, index) => 1 + index / pairs);
  return { type: "longrope", short_factor: factors, long_factor: factors };
}

const common = {
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  max_position_embeddings: 32_768,
  rope_theta: 10_000,
  use_cache: true,
};

function shape(family, model, architecture, modelType, config) {
  return {
    family,
    model,
    config: { ...common, architectures: [architecture], model_type: modelType, ...config },
  };
}

function sizes([vocabulary, hidden, intermediate, layers, heads, keyValueHeads, headDimension]) {
  return {
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headDimension,
  };
}

export const shapes = [
  shape("Llama", "SmolLM2-135M", "LlamaForCausalLM", "llama", {
    ...sizes([49_152, 576, 1536, 30, 9, 3, 64]),
    max_position_embeddings: 8192,
    rope_theta: 100_000,
    tie_word_embeddings: true,
  }),
  shape("Llama", "Llama-3.2-1B", "LlamaForCausalLM", "llama", {
    ...sizes([128_256, 2048, 8192, 16, 32, 8, 64]),
    rope_theta: 500_000,
    rope_scaling: llama3Rope,
    tie_word_embeddings: true,
  }),
  shape("Qwen2", "Qwen2.5-0.5B", "Qwen2ForCausalLM", "qwen2", {
    ...sizes([151_936, 896, 4864, 24, 14, 2, 64]),
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    tie_word_embeddings: true,
  }),
  shape("Qwen3", "Qwen3-0.6B", "Qwen3ForCausalLM", "qwen3", {
    ...sizes([151_936, 1024, 3072, 28, 16, 8, 128]),
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    attention_bias: false,
    tie_word_embeddings: true,
  }),
  shape("Gemma-3", "gemma-3-270m", "Gemma3ForCausalLM", "gemma3_text", {
    ...sizes([262_144, 640, 2048, 18, 4, 1, 256]),
    hidden_activation: "gelu_pytorch_tanh",
    rms_norm_eps: 1e-6,
    attention_bias: false,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    query_pre_attn_scalar: 256,
    rope_theta: 1e6,
    rope_local_base_freq: 10_000,
    sliding_window: 512,
    sliding_window_pattern: 6,
    tie_word_embeddings: true,
  }),
  shape("OLMo-2", "OLMo-2-0425-1B", "Olmo2ForCausalLM", "olmo2", {
    ...sizes([100_352, 2048, 8192, 16, 16, 16, 128]),
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-6,
    rope_theta: 500_000,
    attention_bias: false,
    tie_word_embeddings: false,
  }),
  shape("Granite", "granite-3.3-2b", "GraniteForCausalLM", "granite", {
    ...sizes([49_159, 2048, 8192, 40, 32, 8, 64]),
    rope_theta: 1e7,
    attention_bias: false,
    mlp_bias: false,
    attention_multiplier: 0.015_625,
    embedding_multiplier: 12,
    logits_scaling: 8,
    residual_multiplier: 0.22,
    tie_word_embeddings: true,
  }),
  shape("SmolLM3", "SmolLM3-3B", "SmolLM3ForCausalLM", "smollm3", {
    ...sizes([128_256, 2048, 11_008, 36, 16, 4, 128]),
    rms_norm_eps: 1e-6,
    rope_theta: 5e6,
    no_rope_layer_interval: 4,
    no_rope_layers: Array.from({ length: 36 }, (_, layer) => (layer % 4 === 3 ? 0 : 1)),
    attention_bias: false,
    mlp_bias: false,
    sliding_window: null,
    use_sliding_window: false,
    tie_word_embeddings: true,
  }),
  shape("Phi-3", "Phi-4-mini", "Phi3ForCausalLM", "phi3", {
    ...sizes([200_064, 3072, 8192, 32, 24, 8, 128]),
    original_max_position_embeddings: 4096,
    partial_rotary_factor: 0.75,
    rope_scaling: longRope(48),
    attention_bias: false,
    tie_word_embeddings: true,
  }),
  shape("Mistral", "Mistral-7B-v0.3", "MistralForCausalLM", "mistral", {
    ...sizes([32_768, 4096, 14_336, 32, 32, 8, 128]),
    rope_theta: 1e6,
    sliding_window: null,
    tie_word_embeddings: false,
  }),
];
