import { describe, expect, it } from "vitest";

import { parseDecoderConfig } from "../src/onnx/build/decoder-config.js";
import type { DecoderShape, Rotation } from "../src/onnx/build/decoder-shape.js";

const parse = (config: object): DecoderShape =>
  parseDecoderConfig(JSON.stringify(config), "x/config.json");

// Fields as published configurations have them, without those that only training reads.

const mistral = {
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  vocab_size: 32_000,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  hidden_act: "silu",
  max_position_embeddings: 32_768,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  sliding_window: 4096,
  tie_word_embeddings: false,
};

const smollm3 = {
  architectures: ["SmolLM3ForCausalLM"],
  model_type: "smollm3",
  vocab_size: 128_256,
  hidden_size: 2048,
  intermediate_size: 11_008,
  num_hidden_layers: 36,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  hidden_act: "silu",
  max_position_embeddings: 65_536,
  rms_norm_eps: 1e-6,
  rope_theta: 5_000_000,
  attention_bias: false,
  mlp_bias: false,
  no_rope_layer_interval: 4,
  sliding_window: null,
  use_sliding_window: false,
};

const granite = {
  architectures: ["GraniteForCausalLM"],
  model_type: "granite",
  vocab_size: 49_155,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 40,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  hidden_act: "silu",
  max_position_embeddings: 131_072,
  rms_norm_eps: 1e-5,
  rope_theta: 5_000_000,
  attention_bias: false,
  mlp_bias: false,
  attention_multiplier: 0.015625,
  embedding_multiplier: 12,
  logits_scaling: 8,
  residual_multiplier: 0.22,
  tie_word_embeddings: true,
};

const olmo2 = {
  architectures: ["Olmo2ForCausalLM"],
  model_type: "olmo2",
  vocab_size: 100_352,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  hidden_act: "silu",
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 500_000,
  attention_bias: false,
  tie_word_embeddings: false,
};

const gemma3 = {
  architectures: ["Gemma3ForCausalLM"],
  model_type: "gemma3_text",
  vocab_size: 262_144,
  hidden_size: 1152,
  intermediate_size: 6912,
  num_hidden_layers: 26,
  num_attention_heads: 4,
  num_key_value_heads: 1,
  head_dim: 256,
  hidden_activation: "gelu_pytorch_tanh",
  max_position_embeddings: 32_768,
  rms_norm_eps: 1e-6,
  attention_bias: false,
  attn_logit_softcapping: null,
  final_logit_softcapping: null,
  query_pre_attn_scalar: 256,
  rope_local_base_freq: 10_000,
  rope_scaling: null,
  rope_theta: 1_000_000,
  sliding_window: 512,
  sliding_window_pattern: 6,
};

const factors = (count: number, most: number): number[] =>
  Array.from({ length: count }, (_, i) => 1 + (most - 1) * (i / count));

const phi4 = {
  architectures: ["Phi3ForCausalLM"],
  model_type: "phi3",
  vocab_size: 200_064,
  hidden_size: 3072,
  intermediate_size: 8192,
  num_hidden_layers: 32,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  hidden_act: "silu",
  max_position_embeddings: 131_072,
  original_max_position_embeddings: 4096,
  partial_rotary_factor: 0.75,
  rms_norm_eps: 1e-5,
  rope_scaling: { type: "longrope", short_factor: factors(48, 1), long_factor: factors(48, 40) },
  rope_theta: 10_000,
  sliding_window: 262_144,
  attention_bias: false,
  tie_word_embeddings: true,
};

const slowest = ({ frequencies }: Rotation): number => frequencies.at(-1)!;

describe("configurations of families", () => {
  it("Mistral has its window in each layer, unless it says null", () => {
    expect(parse(mistral).layers).toEqual(
      Array.from({ length: 32 }, () => ({ rotation: 0, window: 4096 })),
    );
    expect(parse(mistral).attention).toEqual({ heads: 32, keyValueHeads: 8, headDimension: 128 });
    expect(parse({ ...mistral, sliding_window: null }).layers[0]).toEqual({ rotation: 0 });
    // As MistralConfig has it.
    expect(parse({ ...mistral, sliding_window: undefined }).layers[0]?.window).toBe(4096);
    // No context leaves such a window.
    expect(parse({ ...mistral, max_position_embeddings: 4096 }).layers[0]).toEqual({ rotation: 0 });
    const nemo = parse({ ...mistral, hidden_size: 5120, head_dim: 128, sliding_window: null });
    expect(nemo.attention.headDimension).toBe(128);
  });

  it("SmolLM3 has layers that are not turned, by a list or an interval", () => {
    const { layers, tiedEmbeddings } = parse(smollm3);
    expect(tiedEmbeddings).toBe(true);
    expect(
      layers.flatMap(({ rotation }, layer) => (rotation === undefined ? [layer] : [])),
    ).toEqual([3, 7, 11, 15, 19, 23, 27, 31, 35]);
    const no_rope_layers = Array.from({ length: 36 }, (_, layer) => (layer === 5 ? 0 : 1));
    const listed = parse({ ...smollm3, no_rope_layers });
    expect(listed.layers.findIndex(({ rotation }) => rotation === undefined)).toBe(5);
    const sliding = parse({ ...smollm3, use_sliding_window: true, sliding_window: 2048 });
    expect(sliding.layers[2]).toEqual({ rotation: 0 });
    expect(sliding.layers[3]).toEqual({ window: 2048 });
  });

  it("Granite has four multipliers", () => {
    const { attention, multipliers } = parse(granite);
    expect(attention.scale).toBe(0.015625);
    expect(multipliers).toEqual({ embedding: 12, residual: 0.22, logitsDivisor: 8 });
  });

  it("OLMo-2 has its norms behind the branches, and of whole projections", () => {
    const { norms, attention } = parse(olmo2);
    expect(norms).toEqual({
      epsilon: 1e-6,
      offset: 0,
      afterAttention: "post_attention_layernorm",
      afterFeedForward: "post_feedforward_layernorm",
    });
    expect(attention.queryKeyNorm).toBe("projection");
    expect(parse({ ...olmo2, num_key_value_heads: undefined }).attention.keyValueHeads).toBe(16);
  });

  it("Gemma-3 turns layers with a window otherwise than those without, in each form of its fields", () => {
    const shape = parse(gemma3);
    const [everywhere, nearby] = shape.rotations as [Rotation, Rotation];
    expect(slowest(everywhere)).toBeCloseTo(1_000_000 ** (-127 / 128), 12);
    expect(slowest(nearby)).toBeCloseTo(10_000 ** (-127 / 128), 12);
    expect(shape.layers.slice(4, 7)).toEqual([
      { rotation: 1, window: 512 },
      { rotation: 0 },
      { rotation: 1, window: 512 },
    ]);
    expect(shape.attention.scale).toBe(1 / 16);
    expect(shape.multipliers.embedding).toBe(Math.sqrt(1152));
    expect(shape.tiedEmbeddings).toBe(true);

    const layer_types = Array.from({ length: 26 }, (_, layer) =>
      layer % 6 === 5 ? "full_attention" : "sliding_attention",
    );
    const rope_parameters = {
      full_attention: { rope_type: "default", rope_theta: 1_000_000 },
      sliding_attention: { rope_type: "default", rope_theta: 10_000 },
    };
    const { sliding_window_pattern: _pattern, rope_theta: _theta, ...rest } = gemma3;
    expect(parse({ ...rest, layer_types, rope_parameters })).toEqual(shape);

    const wide = parse({ ...gemma3, rope_scaling: { rope_type: "linear", factor: 8 } });
    const [stretched, same] = wide.rotations as [Rotation, Rotation];
    expect(slowest(stretched) * 8).toBeCloseTo(slowest(everywhere), 12);
    expect(same).toEqual(nearby);
  });

  it("Phi-4-mini turns three quarters of a head, by two tables", () => {
    const shape = parse(phi4);
    const [rotation] = shape.rotations as [Rotation];
    expect(rotation.frequencies).toHaveLength(48);
    expect(rotation.scale).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 12);
    expect(rotation.long?.beyond).toBe(4096);
    expect(rotation.long!.frequencies[24]! * phi4.rope_scaling.long_factor[24]!).toBeCloseTo(
      rotation.frequencies[24]!,
      12,
    );
    expect(shape.attention).toMatchObject({ headDimension: 128, stacked: true });
    expect(shape.layers[0]).toEqual({ rotation: 0 });
    // What it was called at first.
    const { type: _type, ...lists } = phi4.rope_scaling;
    for (const type of ["su", "yarn"]) {
      expect(parse({ ...phi4, rope_scaling: { type, ...lists } })).toEqual(shape);
    }
    const rope_parameters = {
      ...lists,
      rope_type: "longrope",
      rope_theta: 10_000,
      partial_rotary_factor: 0.75,
      original_max_position_embeddings: 4096,
    };
    const { rope_scaling: _scaling, ...rest } = phi4;
    const { original_max_position_embeddings: _original, ...newest } = rest;
    expect(parse({ ...newest, partial_rotary_factor: undefined, rope_parameters })).toEqual(shape);
  });

  it("YaRN's factor follows from the contexts where it is not given", () => {
    const yarn = { rope_type: "yarn", original_max_position_embeddings: 8192 };
    const stated = parse({ ...granite, rope_scaling: { ...yarn, factor: 16 } });
    expect(parse({ ...granite, rope_scaling: yarn })).toEqual(stated);
    expect(stated.rotations[0]?.scale).toBeCloseTo(0.1 * Math.log(16) + 1, 12);
    const weighed = { ...yarn, factor: 16, mscale: 1, mscale_all_dim: 1 };
    expect(parse({ ...granite, rope_scaling: weighed }).rotations[0]?.scale).toBe(1);
  });

  it.each<[object, object, RegExp]>([
    [mistral, { attention_bias: true }, /attention_bias = true/],
    [mistral, { num_local_experts: 8 }, /num_local_experts = 8/],
    [mistral, { hidden_act: "gelu" }, /hidden_act = "gelu"/],
    [smollm3, { mlp_bias: true }, /mlp_bias = true/],
    [smollm3, { layer_types: Array(36).fill("chunked_attention") }, /layer_types/],
    [granite, { num_local_experts: 32 }, /num_local_experts = 32/],
    [granite, { rope_scaling: { type: "yarn", factor: 2, gamma: 3 } }, /rope_scaling\.gamma = 3/],
    [olmo2, { clip_qkv: 8 }, /clip_qkv = 8/],
    [olmo2, { layer_types: Array(16).fill("sliding_attention") }, /layer_types/],
    [gemma3, { hidden_activation: "gelu" }, /hidden_activation = "gelu"/],
    [gemma3, { final_logit_softcapping: 30 }, /final_logit_softcapping = 30/],
    [gemma3, { attn_logit_softcapping: 50 }, /attn_logit_softcapping = 50/],
    [gemma3, { use_bidirectional_attention: true }, /use_bidirectional_attention = true/],
    [gemma3, { architectures: ["Gemma3ForConditionalGeneration"] }, /"Gemma3ForConditional/],
    [gemma3, { architectures: ["Gemma2ForCausalLM"] }, /"Gemma2ForCausalLM" is not implemented/],
    [phi4, { rope_scaling: { type: "linear", factor: 2 } }, /rope type = "linear"/],
    [phi4, { partial_rotary_factor: 0.4 }, /partial_rotary_factor = 0\.4/],
    [phi4, { rope_scaling: { ...phi4.rope_scaling, short_mscale: 1.2 } }, /short_mscale = 1\.2/],
    [phi4, { attention_bias: true }, /attention_bias = true/],
    [phi4, { architectures: ["PhiMoEForCausalLM"] }, /"PhiMoEForCausalLM" is not implemented/],
  ])("%# refuses by name what it does not compute", (config, changes, message) => {
    expect(() => parse({ ...config, ...changes })).toThrow(
      expect.objectContaining({
        code: "MODEL_UNSUPPORTED",
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each<[object, object, RegExp]>([
    [mistral, { sliding_window: 0 }, /sliding_window is 0/],
    [mistral, { num_key_value_heads: undefined }, /num_key_value_heads is missing/],
    [smollm3, { no_rope_layers: [1, 1] }, /no_rope_layers is \[1,1\]/],
    [smollm3, { no_rope_layers: Array(36).fill(2) }, /no_rope_layers/],
    [smollm3, { use_sliding_window: "yes" }, /use_sliding_window is "yes"/],
    [granite, { logits_scaling: 0 }, /logits_scaling is 0/],
    [granite, { residual_multiplier: "0.22" }, /residual_multiplier is "0\.22"/],
    [granite, { rope_scaling: { type: "linear" } }, /factor is missing/],
    [granite, { rope_scaling: { type: "yarn", beta_fast: 1, beta_slow: 4 } }, /beta_fast is 1/],
    [gemma3, { layer_types: ["full_attention"] }, /layer_types is \["full_attention"\]/],
    [
      gemma3,
      { rope_parameters: { full_attention: { rope_theta: 5 } } },
      /rope_parameters\.sliding_attention is missing/,
    ],
    [gemma3, { head_dim: undefined }, /head_dim is missing/],
    [
      phi4,
      { rope_scaling: { ...phi4.rope_scaling, long_factor: [1, 2] } },
      /long_factor is \[1,2\]/,
    ],
    [phi4, { rope_scaling: { type: "longrope", long_factor: factors(48, 2) } }, /short_factor/],
    [phi4, { original_max_position_embeddings: undefined }, /original_max_position.* is missing/],
  ])("%# names what is wrong", (config, changes, message) => {
    expect(() => parse({ ...config, ...changes })).toThrow(
      expect.objectContaining({ code: "MODEL_CORRUPT", message: expect.stringMatching(message) }),
    );
  });
});
