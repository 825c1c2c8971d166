import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { parseDecoderConfig } from "../src/onnx/build/decoder-config.js";
import type { DecoderShape } from "../src/onnx/build/decoder-shape.js";
import { llamaPresets } from "../src/onnx/build/llama-presets.js";
import {
  formatLlamaConfig,
  parameterCount,
  type LlamaShape,
} from "../src/onnx/build/llama-shape.js";

const pequodFile = new URL("../checkpoints/pequod/config.json", import.meta.url);
const pequod = JSON.parse(await readFile(pequodFile, "utf8")) as Record<string, unknown>;

const parseWith = (changes: object): DecoderShape =>
  parseDecoderConfig(JSON.stringify({ ...pequod, ...changes }), "x/config.json");

/** θ^(−2i/64) */
const frequencies = (theta: number): number[] =>
  Array.from({ length: 32 }, (_, i) => theta ** (-i / 32));

describe("parseDecoderConfig", () => {
  it("reads the shape of a checkpoint", () => {
    expect(parseWith({})).toEqual({
      vocabularySize: 2048,
      hiddenSize: 256,
      contextLength: 1024,
      tiedEmbeddings: true,
      norms: {
        epsilon: 1e-5,
        offset: 0,
        beforeAttention: "input_layernorm",
        beforeFeedForward: "post_attention_layernorm",
      },
      attention: { heads: 4, keyValueHeads: 2, headDimension: 64 },
      feedForward: { size: 768, activation: "silu" },
      multipliers: { embedding: 1, residual: 1, logitsDivisor: 1 },
      rotations: [{ name: "rotary", frequencies: frequencies(10_000), scale: 1 }],
      layers: Array.from({ length: 4 }, () => ({ rotation: 0 })),
    });
  });

  it("derives what older configurations leave out", () => {
    const older = { head_dim: undefined, num_key_value_heads: undefined, rope_theta: undefined };
    expect(parseWith({ ...older, tie_word_embeddings: undefined })).toMatchObject({
      attention: { headDimension: 64, keyValueHeads: 4 },
      rotations: [{ frequencies: frequencies(10_000) }],
      tiedEmbeddings: false,
    });
  });

  it("reads the rotation where newer configurations keep it", () => {
    const rope_parameters = { rope_type: "default", rope_theta: 500_000 };
    expect(parseWith({ rope_theta: undefined, rope_parameters })).toMatchObject({
      rotations: [{ frequencies: frequencies(500_000) }],
    });
  });

  it("reads what Qwen2 has of its own", () => {
    const qwen2 = { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" };
    const unused = { sliding_window: 32_768, use_sliding_window: false, max_window_layers: 21 };
    const { attention } = parseWith({
      ...qwen2,
      ...unused,
      head_dim: undefined,
      rope_scaling: null,
    });
    expect(attention).toEqual({ heads: 4, keyValueHeads: 2, headDimension: 64, bias: "inputs" });
    expect(parseWith({ ...qwen2, architectures: undefined })).toEqual(parseWith(qwen2));
    expect(parseWith({ ...qwen2, attention_bias: true })).toEqual(parseWith(qwen2));
  });

  it("reads what Qwen3 has of its own", () => {
    const qwen3 = { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3", head_dim: 128 };
    const layer_types = Array<string>(4).fill("full_attention");
    const { attention } = parseWith({ ...qwen3, layer_types });
    expect(attention).toMatchObject({ queryKeyNorm: "head", headDimension: 128 });
    expect(attention).not.toHaveProperty("bias");
    expect(parseWith({ ...qwen3, attention_bias: true }).attention.bias).toBe("all");
    // Its fallback is a number of its own, which published configurations never rely on.
    expect(() => parseWith({ ...qwen3, head_dim: undefined })).toThrow(/head_dim is missing/);
    expect(() => parseWith({ ...qwen3, num_key_value_heads: undefined })).toThrow(/is missing/);
  });

  it("reads Llama 3's stretched rotation, where older and newer configurations keep it", () => {
    const fields = {
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const older = parseWith({
      rope_theta: 500_000,
      rope_scaling: { rope_type: "llama3", ...fields },
    });
    const [plain] = [frequencies(500_000)];
    const [{ frequencies: stretched }] = older.rotations as [DecoderShape["rotations"][0]];
    expect(stretched[0]).toBe(1);
    expect(stretched[31]).toBeCloseTo(plain[31]! / 32, 12);
    const rope_parameters = { rope_type: "llama3", rope_theta: 500_000, ...fields };
    expect(parseWith({ rope_parameters })).toEqual(older);
    expect(() =>
      parseWith({ rope_scaling: { rope_type: "llama3", ...fields, factor: undefined } }),
    ).toThrow(/factor is missing/);
    expect(() =>
      parseWith({ rope_scaling: { rope_type: "llama3", ...fields, high_freq_factor: 1 } }),
    ).toThrow(/high_freq_factor is 1, but must be greater/);
  });

  it.each<[object, RegExp]>([
    [{ architectures: ["MixtralForCausalLM"] }, /"MixtralForCausalLM" is not implemented.*Qwen3/],
    [{ architectures: ["constructor"] }, /"constructor" is not implemented/],
    [{ mlp_bias: true }, /mlp_bias = true/],
    [{ rope_interleaved: true }, /rope_interleaved = true/],
    [{ rope_scaling: { rope_type: "longrope", factor: 8 } }, /rope type = "longrope"/],
    [{ rope_scaling: { type: "su", factor: 8 } }, /rope type = "su"/],
    [{ rope_parameters: { rope_type: "proportional" } }, /rope type = "proportional"/],
    [
      { rope_scaling: { type: "yarn", factor: 8, ramp: 2 } },
      /rope_scaling\.ramp = 2 is not implemented/,
    ],
    [{ rope_scaling: { type: "linear", factor: 8, alpha: 1 } }, /rope_scaling\.alpha = 1/],
    [
      { rope_scaling: { type: "dynamic", factor: 8, original_max_position_embeddings: 512 } },
      /original_max_position_embeddings = 512/,
    ],
    [{ attn_logit_softcapping: 50 }, /attn_logit_softcapping = 50/],
    [{ final_logit_softcapping: 30 }, /final_logit_softcapping = 30/],
    [{ use_bidirectional_attention: true }, /use_bidirectional_attention = true/],
    [{ clip_qkv: 8 }, /clip_qkv = 8/],
    [{ rope_scaling: 8 }, /rope_scaling = 8/],
    [{ num_experts: 8 }, /num_experts = 8/],
    [{ num_local_experts: 8 }, /num_local_experts = 8/],
    [{ sliding_window: 4096, use_sliding_window: true }, /sliding_window = 4096/],
    [{ layer_types: ["full_attention", "sliding_attention"] }, /layer_types/],
    [{ rope_parameters: { full_attention: { rope_theta: 5 } } }, /rope_parameters/],
    [{ rope_parameters: { partial_rotary_factor: 0.25 } }, /partial_rotary_factor = 0\.25/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor = 0\.5/],
    [{ sliding_window: 4096 }, /sliding_window = 4096/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
    [{ hidden_act: "gelu" }, /hidden_act = "gelu"/],
    [{ head_dim: 72 }, /head_dim = 72/],
  ])("does not ignore %j", (changes, message) => {
    expect(() => parseWith(changes)).toThrow(
      expect.objectContaining({
        code: "MODEL_UNSUPPORTED",
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each<[object, RegExp]>([
    ...[
      "vocab_size",
      "hidden_size",
      "intermediate_size",
      "num_hidden_layers",
      "num_attention_heads",
      "max_position_embeddings",
      "rms_norm_eps",
    ].map(
      (field) => [{ [field]: undefined }, new RegExp(`${field} is missing`)] as [object, RegExp],
    ),
    [{ architectures: undefined, model_type: undefined }, /architectures is missing/],
    [{ hidden_size: "256" }, /hidden_size is "256"/],
    [{ num_hidden_layers: 0 }, /num_hidden_layers is 0/],
    [{ num_hidden_layers: 1e9 }, /num_hidden_layers is 1000000000, but must be .* up to 10000/],
    [{ max_position_embeddings: 2 ** 40 }, /max_position_embeddings is 1099511627776/],
    [{ vocab_size: 2048.5 }, /vocab_size is 2048\.5/],
    [{ rms_norm_eps: -1 }, /rms_norm_eps is -1/],
    [{ num_key_value_heads: 3 }, /num_key_value_heads is 3, but must be a divisor/],
    [{ head_dim: 63 }, /head_dim is 63, but must be an even number/],
    [{ head_dim: undefined, num_attention_heads: 3, num_key_value_heads: 3 }, /head_dim is 85\.3/],
  ])("names what is wrong with %j", (changes, message) => {
    expect(() => parseWith(changes)).toThrow(
      expect.objectContaining({ code: "MODEL_CORRUPT", message: expect.stringMatching(message) }),
    );
  });

  it.each(["", "{", "[]", "null", "7"])("refuses %j by the file's name", (json) => {
    expect(() => parseDecoderConfig(json, "x/config.json")).toThrow(
      expect.objectContaining({
        code: "MODEL_CORRUPT",
        message: expect.stringContaining("x/config.json"),
      }),
    );
  });
});

describe("shapes", () => {
  const [small] = Object.values(llamaPresets) as [LlamaShape];
  const ropeScaling = {
    factor: 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContextLength: 8192,
  };
  const variants: Record<string, LlamaShape> = {
    ...llamaPresets,
    "Llama 3": { ...small, ropeScaling },
    "Llama with biases": { ...small, attentionBias: "all" },
    Qwen2: { ...small, attentionBias: "inputs" },
    Qwen3: { ...small, headNorms: true },
  };

  it("count their parameters", () => {
    expect(parameterCount(llamaPresets["15M"])).toBe(15_191_712);
    expect(parameterCount(llamaPresets["42M"])).toBe(41_689_600);
    expect(parameterCount(llamaPresets["135M"])).toBe(134_515_008);
    expect(parameterCount({ ...llamaPresets["15M"], tiedEmbeddings: false })).toBe(
      15_191_712 + 32_000 * 288,
    );
  });

  it("count biases and norms of heads", () => {
    // Six layers of six heads for queries, keys and values each, of 48.
    const before = 15_191_712;
    expect(parameterCount(variants["Qwen2"]!)).toBe(before + 6 * 18 * 48);
    expect(parameterCount(variants["Llama with biases"]!)).toBe(before + 6 * (18 * 48 + 288));
    expect(parameterCount(variants["Qwen3"]!)).toBe(before + 6 * 2 * 48);
  });

  it.each(Object.entries(variants))("survive being written: %s", (_, shape) => {
    const read = parseDecoderConfig(formatLlamaConfig(shape), "config.json");
    expect(read).toMatchObject({
      vocabularySize: shape.vocabularySize,
      hiddenSize: shape.hiddenSize,
      contextLength: shape.contextLength,
      tiedEmbeddings: shape.tiedEmbeddings,
      norms: { epsilon: shape.normEpsilon },
      attention: {
        heads: shape.attentionHeads,
        keyValueHeads: shape.keyValueHeads,
        headDimension: shape.headDimension,
      },
      feedForward: { size: shape.intermediateSize },
    });
    expect(read.layers).toHaveLength(shape.layers);
    expect(read.attention.bias).toBe(shape.attentionBias);
    expect(read.attention.queryKeyNorm).toBe(shape.headNorms === true ? "head" : undefined);
    const [kept, slowed] = [0, -1].map((at) => read.rotations[0]!.frequencies.at(at)!);
    const { headDimension, ropeTheta } = shape;
    expect(kept).toBe(1);
    expect(slowed! * (shape.ropeScaling?.factor ?? 1)).toBeCloseTo(
      ropeTheta ** (2 / headDimension - 1),
      12,
    );
  });
});
