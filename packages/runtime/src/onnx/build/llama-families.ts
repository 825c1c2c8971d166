import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, type JsonObject } from "../../json-object.js";
import { readFields, unsupportedField, wrongField } from "./config-fields.js";
import type { LlamaShape, RopeScaling } from "./llama-config.js";

/** What sets an architecture apart, as far as its configuration leaves it open. */
export interface Family {
  readonly modelType: string;
  readonly attentionBias: (config: JsonObject) => LlamaShape["attentionBias"];
  readonly headNorms?: true;
}

const biasByField = (config: JsonObject): LlamaShape["attentionBias"] =>
  config["attention_bias"] === true ? "all" : undefined;

const families: Readonly<Record<string, Family>> = {
  LlamaForCausalLM: { modelType: "llama", attentionBias: biasByField },
  Qwen2ForCausalLM: { modelType: "qwen2", attentionBias: () => "inputs" },
  Qwen3ForCausalLM: { modelType: "qwen3", attentionBias: biasByField, headNorms: true },
};

/** The names of a family that has this shape, for `config.json`. */
export function familyNames(shape: LlamaShape): {
  readonly architecture: string;
  readonly modelType: string;
} {
  const architecture =
    shape.headNorms === true
      ? "Qwen3ForCausalLM"
      : shape.attentionBias === "inputs"
        ? "Qwen2ForCausalLM"
        : "LlamaForCausalLM";
  return { architecture, modelType: (families[architecture] as Family).modelType };
}

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

/** The fields that describe rotation: of their own, or among the others. */
function ropeFields(config: JsonObject): JsonObject {
  const nested = [config["rope_parameters"], config["rope_scaling"]].find(isJsonObject);
  return nested ?? {};
}

function ropeType(config: JsonObject): unknown {
  const { rope_type: type, type: oldName } = ropeFields(config);
  return type ?? oldName ?? "default";
}

/** @throws StreamgaugeError `MODEL_CORRUPT` */
export function readRopeScaling(config: JsonObject, file: string): RopeScaling | undefined {
  if (ropeType(config) !== "llama3") return undefined;
  const { positive } = readFields(ropeFields(config), file);
  const scaling = {
    factor: positive("factor"),
    lowFrequencyFactor: positive("low_freq_factor"),
    highFrequencyFactor: positive("high_freq_factor"),
    originalContextLength: positive("original_max_position_embeddings"),
  };
  if (scaling.highFrequencyFactor > scaling.lowFrequencyFactor) return scaling;
  throw wrongField(
    file,
    "high_freq_factor",
    scaling.highFrequencyFactor,
    "greater than low_freq_factor",
  );
}

/**
 * Refuses what would change the computation and is not implemented.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED`, naming the field
 */
export function refuseVariants(config: JsonObject, file: string): void {
  const absent = (value: unknown): boolean => (value ?? null) === null;
  const off = (value: unknown): boolean => !(value ?? false);
  const type = ropeType(config);
  const layerTypes = config["layer_types"];
  // Qwen names a window even where it does not use it.
  const hasWindow =
    config["use_sliding_window"] === undefined
      ? !absent(config["sliding_window"])
      : !off(config["use_sliding_window"]);
  const partial = [
    config["partial_rotary_factor"],
    ropeFields(config)["partial_rotary_factor"],
  ].find((factor) => (factor ?? 1) !== 1);
  /** Field, its value, and whether the value leaves the plain computation as it is. */
  const variants: readonly (readonly [field: string, value: unknown, plain: boolean])[] = [
    ...["mlp_bias", "rope_interleaved"].map(
      (field) => [field, config[field], off(config[field])] as const,
    ),
    ...["quantization_config", "num_experts", "num_local_experts"].map(
      (field) => [field, config[field], absent(config[field])] as const,
    ),
    ["sliding_window", config["sliding_window"], !hasWindow],
    [
      "layer_types",
      layerTypes,
      !Array.isArray(layerTypes) || layerTypes.every((layer) => layer === "full_attention"),
    ],
    ["rope type", type, type === "default" || type === "llama3"],
    [
      "rope_scaling",
      config["rope_scaling"],
      absent(config["rope_scaling"]) || isJsonObject(config["rope_scaling"]),
    ],
    // Rotation of its own for each kind of layer.
    [
      "rope_parameters",
      config["rope_parameters"],
      !Object.values(ropeFields(config)).some(isJsonObject),
    ],
    ["partial_rotary_factor", partial, partial === undefined],
    ["hidden_act", config["hidden_act"], (config["hidden_act"] ?? "silu") === "silu"],
  ];
  for (const [field, value, plain] of variants) {
    if (plain) continue;
    throw unsupportedField(file, field, value);
  }
}
