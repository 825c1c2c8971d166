import { StreamgaugeError } from "@streamgauge/core";
import type { JsonObject } from "../../json-object.js";
import { wrongField } from "./config-fields.js";
import { alike, llama, oneRotation, type Family } from "./family.js";
import { gemma3 } from "./gemma3.js";
import { smolLm3Layers } from "./smollm3.js";

/**
 * Each architecture in the terms of Llama. What they compute is in Hugging Face's
 * `modeling_<model type>.py`, what their fields mean in `configuration_<model type>.py`.
 */
const families: Readonly<Record<string, Family>> = {
  LlamaForCausalLM: llama,

  Qwen2ForCausalLM: {
    ...llama,
    modelType: "qwen2",
    derivesKeyHeads: false,
    // Whatever the field says: so some configurations have it.
    bias: () => "inputs",
  },

  Qwen3ForCausalLM: {
    ...llama,
    modelType: "qwen3",
    derivesKeyHeads: false,
    derivesHeadDimension: false,
    queryKeyNorm: "head",
  },

  MistralForCausalLM: {
    ...llama,
    modelType: "mistral",
    derivesKeyHeads: false,
    bias: () => undefined,
    layers: ({ config, fields, layerCount }) =>
      alike(layerCount, {
        rotation: 0,
        // Absent is another thing than null: `configuration_mistral.py` has a default.
        ...(config["sliding_window"] === null
          ? {}
          : { window: fields.integer("sliding_window", 4096) }),
      }),
    understands: ["sliding_window"],
  },

  SmolLM3ForCausalLM: {
    ...llama,
    modelType: "smollm3",
    derivesKeyHeads: false,
    tiedByDefault: true,
    rope: { ...llama.rope, read: oneRotation(2_000_000) },
    layers: smolLm3Layers,
    understands: ["attention_bias", "sliding_window", "layer_types"],
  },

  GraniteForCausalLM: {
    ...llama,
    modelType: "granite",
    scale: ({ positive }) => positive("attention_multiplier", 1),
    multipliers: ({ positive }) => ({
      embedding: positive("embedding_multiplier", 1),
      residual: positive("residual_multiplier", 1),
      logitsDivisor: positive("logits_scaling", 1),
    }),
  },

  Olmo2ForCausalLM: {
    ...llama,
    modelType: "olmo2",
    queryKeyNorm: "projection",
    norms: {
      offset: 0,
      afterAttention: "post_attention_layernorm",
      afterFeedForward: "post_feedforward_layernorm",
    },
  },

  Gemma3ForCausalLM: gemma3,

  Phi3ForCausalLM: {
    ...llama,
    modelType: "phi3",
    stacked: true,
    bias: () => undefined,
    rope: {
      ...llama.rope,
      types: ["default", "longrope"],
      // Its first configurations had other words for what became longrope.
      aliases: { su: "longrope", yarn: "longrope" },
      partial: true,
    },
    layers: ({ config, fields, layerCount }) =>
      alike(layerCount, {
        rotation: 0,
        ...((config["sliding_window"] ?? null) === null
          ? {}
          : { window: fields.integer("sliding_window") }),
      }),
    understands: ["sliding_window"],
  },
};

/** @throws StreamgaugeError `MODEL_UNSUPPORTED` for another architecture, by its name */
export function familyOf(config: JsonObject, file: string): Family {
  const architectures: unknown = config["architectures"];
  const named: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const known = Object.keys(families);
  const architecture =
    named ?? known.find((name) => families[name]?.modelType === config["model_type"]);
  if (architecture === undefined) {
    throw wrongField(file, "architectures", architectures, `one of ${known.join(", ")}`);
  }
  const family = known.find((name) => name === architecture);
  if (family !== undefined) return families[family] as Family;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file}: architecture ${JSON.stringify(architecture)} is not implemented; a graph can be ` +
      `built for ${known.join(", ")}. Use an ONNX export of this model.`,
  );
}
