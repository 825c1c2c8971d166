import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import {
  formatLlamaConfig,
  parameterCount,
  parseLlamaConfig,
  type LlamaShape,
} from "../src/onnx/build/llama-config.js";
import { llamaPresets } from "../src/onnx/build/llama-presets.js";

const pequodFile = new URL("../checkpoints/pequod/config.json", import.meta.url);
const pequod = JSON.parse(await readFile(pequodFile, "utf8")) as Record<string, unknown>;

const parseWith = (changes: object): unknown =>
  parseLlamaConfig(JSON.stringify({ ...pequod, ...changes }), "x/config.json");

describe("parseLlamaConfig", () => {
  it("reads the shape of a checkpoint", () => {
    expect(parseWith({})).toEqual({
      vocabularySize: 2048,
      hiddenSize: 256,
      intermediateSize: 768,
      layers: 4,
      attentionHeads: 4,
      keyValueHeads: 2,
      headDimension: 64,
      contextLength: 1024,
      normEpsilon: 1e-5,
      ropeTheta: 10_000,
      tiedEmbeddings: true,
    });
  });

  it("derives what older configurations leave out", () => {
    const older = { head_dim: undefined, num_key_value_heads: undefined, rope_theta: undefined };
    expect(parseWith({ ...older, tie_word_embeddings: undefined })).toMatchObject({
      headDimension: 64,
      keyValueHeads: 4,
      ropeTheta: 10_000,
      tiedEmbeddings: false,
    });
  });

  it("reads the rotation where newer configurations keep it", () => {
    const rope_parameters = { rope_type: "default", rope_theta: 500_000 };
    expect(parseWith({ rope_theta: undefined, rope_parameters })).toMatchObject({
      ropeTheta: 500_000,
    });
  });

  it("reads what Qwen2 has of its own", () => {
    const qwen2 = { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" };
    const unused = { sliding_window: 32_768, use_sliding_window: false, max_window_layers: 21 };
    const shape = parseWith({ ...qwen2, ...unused, head_dim: undefined, rope_scaling: null });
    expect(shape).toMatchObject({ attentionBias: "inputs", headDimension: 64 });
    expect(shape).not.toHaveProperty("headNorms");
    expect(parseWith({ ...qwen2, architectures: undefined })).toEqual(parseWith(qwen2));
  });

  it("reads what Qwen3 has of its own", () => {
    const qwen3 = { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3", head_dim: 128 };
    const layer_types = Array<string>(4).fill("full_attention");
    const shape = parseWith({ ...qwen3, layer_types });
    expect(shape).toMatchObject({ headNorms: true, headDimension: 128 });
    expect(shape).not.toHaveProperty("attentionBias");
    expect(parseWith({ ...qwen3, attention_bias: true })).toMatchObject({ attentionBias: "all" });
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
    const ropeScaling = {
      factor: 32,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 8192,
    };
    const older = { rope_theta: 500_000, rope_scaling: { rope_type: "llama3", ...fields } };
    expect(parseWith(older)).toMatchObject({ ropeTheta: 500_000, ropeScaling });
    const rope_parameters = { rope_type: "llama3", rope_theta: 500_000, ...fields };
    expect(parseWith({ rope_parameters })).toMatchObject({ ropeTheta: 500_000, ropeScaling });
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
    ...["linear", "dynamic", "yarn", "longrope"].flatMap((type): [object, RegExp][] => {
      const named = new RegExp(`rope type = "${type}"`);
      return [
        [{ rope_scaling: { rope_type: type, factor: 8 } }, named],
        [{ rope_scaling: { type, factor: 8 } }, named],
        [{ rope_parameters: { rope_type: type } }, named],
      ];
    }),
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
    expect(() => parseLlamaConfig(json, "x/config.json")).toThrow(
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
    expect(parameterCount(parseLlamaConfig(JSON.stringify(pequod), "config.json"))).toBe(3_672_320);
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
    expect(parseLlamaConfig(formatLlamaConfig(shape), "config.json")).toEqual(shape);
  });
});
