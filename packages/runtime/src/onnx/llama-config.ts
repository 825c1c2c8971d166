import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, parseJsonObject, type JsonObject } from "../json-object.js";

/** The shape of a Llama-family model: everything its graph depends on but the weights. */
export interface LlamaShape {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Width of the gated feed-forward layer. */
  readonly intermediateSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  /** Divides `attentionHeads`; the heads of one group share a key and a value. */
  readonly keyValueHeads: number;
  /** Size of one attention head; a multiple of 16, as GroupQueryAttention rotates no other. */
  readonly headDimension: number;
  /** Positions the rotary tables are computed for. */
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  /** Whether the output projection is the embedding matrix. */
  readonly tiedEmbeddings: boolean;
  /** Absent: the frequencies are those of `ropeTheta`. */
  readonly ropeScaling?: RopeScaling;
  /**
   * Which projections of the attention have a bias: those to queries, keys and
   * values, as in Qwen2, or the output's too. Absent: none.
   */
  readonly attentionBias?: "inputs" | "all";
  /** Whether each head's queries and keys are normalised, as in Qwen3. */
  readonly headNorms?: true;
}

/** How Llama 3 stretches rotation to a context longer than the first it was trained on. */
export interface RopeScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  /** Above `lowFrequencyFactor`. */
  readonly highFrequencyFactor: number;
  readonly originalContextLength: number;
}

/** Number of trained parameters, a tied embedding counted once. */
export function parameterCount(shape: LlamaShape): number {
  const { hiddenSize, headDimension, attentionBias, headNorms } = shape;
  const projections = 2 * hiddenSize * headDimension * (shape.attentionHeads + shape.keyValueHeads);
  const biases =
    (attentionBias === undefined
      ? 0
      : headDimension * (shape.attentionHeads + 2 * shape.keyValueHeads)) +
    (attentionBias === "all" ? hiddenSize : 0);
  const attention = projections + biases + (headNorms === true ? 2 * headDimension : 0);
  const feedForward = 3 * hiddenSize * shape.intermediateSize;
  const layer = attention + feedForward + 2 * hiddenSize;
  const embeddings = shape.vocabularySize * hiddenSize * (shape.tiedEmbeddings ? 1 : 2);
  return embeddings + shape.layers * layer + hiddenSize;
}

/** Beyond any model; a damaged number must not make a graph that fills memory, or a disk. */
const mostLayers = 10_000;
const mostPositions = 2 ** 24;

/** What sets an architecture apart, as far as its configuration leaves it open. */
interface Family {
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

/**
 * Reads a Hugging Face `config.json` of the Llama family: Llama, Qwen2 or Qwen3.
 * A field that would change the computation and is not implemented is refused,
 * never ignored.
 *
 * @param file the path the user knows the configuration by, for the errors
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for another architecture or an
 *   unimplemented variant; `MODEL_CORRUPT` when the JSON, a required field or a
 *   proportion is wrong
 */
export function parseLlamaConfig(json: string, file: string): LlamaShape {
  const config = parseJsonObject(json, file);
  const { modelType, attentionBias, headNorms } = familyOf(config, file);
  refuseVariants(config, file);

  const integer = (field: string, fallback?: number, most = 2 ** 31 - 1): number => {
    const value = config[field] ?? fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= most) {
      return value;
    }
    throw wrongField(file, field, value, `a positive integer up to ${most}`);
  };
  const positive = (fields: JsonObject, field: string, fallback?: number): number => {
    const value = fields[field] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw wrongField(file, field, value, "a positive number");
  };

  const hiddenSize = integer("hidden_size");
  const attentionHeads = integer("num_attention_heads");
  // Only Llama's early configurations leave these out; elsewhere the fallback differs.
  const isLlama = modelType === "llama";
  const rope = isJsonObject(config["rope_parameters"]) ? config["rope_parameters"] : config;
  const bias = attentionBias(config);
  const ropeScaling = readRopeScaling(config, file, positive);
  const shape: LlamaShape = {
    vocabularySize: integer("vocab_size"),
    hiddenSize,
    intermediateSize: integer("intermediate_size"),
    layers: integer("num_hidden_layers", undefined, mostLayers),
    attentionHeads,
    keyValueHeads: integer("num_key_value_heads", isLlama ? attentionHeads : undefined),
    headDimension: integer("head_dim", headNorms ? undefined : hiddenSize / attentionHeads),
    contextLength: integer("max_position_embeddings", undefined, mostPositions),
    normEpsilon: positive(config, "rms_norm_eps"),
    ropeTheta: positive(rope, "rope_theta", 10_000),
    tiedEmbeddings: config["tie_word_embeddings"] === true,
    ...(ropeScaling === undefined ? {} : { ropeScaling }),
    ...(bias === undefined ? {} : { attentionBias: bias }),
    ...(headNorms === undefined ? {} : { headNorms }),
  };
  if (shape.attentionHeads % shape.keyValueHeads !== 0) {
    throw wrongField(
      file,
      "num_key_value_heads",
      shape.keyValueHeads,
      "a divisor of num_attention_heads",
    );
  }
  if (shape.headDimension % 2 !== 0) {
    throw wrongField(file, "head_dim", shape.headDimension, "an even number");
  }
  if (shape.headDimension % 16 !== 0) {
    throw unsupported(file, "head_dim", shape.headDimension);
  }
  return shape;
}

/**
 * The `config.json` of a shape, in Hugging Face's names; the inverse of
 * {@link parseLlamaConfig}.
 */
export function formatLlamaConfig(shape: LlamaShape): string {
  const scaling = shape.ropeScaling;
  const architecture =
    shape.headNorms === true
      ? "Qwen3ForCausalLM"
      : shape.attentionBias === "inputs"
        ? "Qwen2ForCausalLM"
        : "LlamaForCausalLM";
  const config = {
    architectures: [architecture],
    model_type: families[architecture]?.modelType,
    vocab_size: shape.vocabularySize,
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.attentionHeads,
    num_key_value_heads: shape.keyValueHeads,
    head_dim: shape.headDimension,
    hidden_act: "silu",
    max_position_embeddings: shape.contextLength,
    rms_norm_eps: shape.normEpsilon,
    rope_theta: shape.ropeTheta,
    ...(scaling === undefined
      ? {}
      : {
          rope_scaling: {
            rope_type: "llama3",
            factor: scaling.factor,
            low_freq_factor: scaling.lowFrequencyFactor,
            high_freq_factor: scaling.highFrequencyFactor,
            original_max_position_embeddings: scaling.originalContextLength,
          },
        }),
    ...(shape.attentionBias === "all" ? { attention_bias: true } : {}),
    tie_word_embeddings: shape.tiedEmbeddings,
    use_cache: true,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function familyOf(config: JsonObject, file: string): Family {
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

function readRopeScaling(
  config: JsonObject,
  file: string,
  positive: (fields: JsonObject, field: string) => number,
): RopeScaling | undefined {
  if (ropeType(config) !== "llama3") return undefined;
  const fields = ropeFields(config);
  const scaling = {
    factor: positive(fields, "factor"),
    lowFrequencyFactor: positive(fields, "low_freq_factor"),
    highFrequencyFactor: positive(fields, "high_freq_factor"),
    originalContextLength: positive(fields, "original_max_position_embeddings"),
  };
  if (scaling.highFrequencyFactor > scaling.lowFrequencyFactor) return scaling;
  throw wrongField(
    file,
    "high_freq_factor",
    scaling.highFrequencyFactor,
    "greater than low_freq_factor",
  );
}

function refuseVariants(config: JsonObject, file: string): void {
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
    throw unsupported(file, field, value);
  }
}

function unsupported(file: string, field: string, value: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file}: ${field} = ${JSON.stringify(value)} is not implemented by the graph builder. ` +
      `Use an ONNX export of this model.`,
  );
}

function wrongField(file: string, field: string, value: unknown, wanted: string): StreamgaugeError {
  const found = value === undefined ? "missing" : JSON.stringify(value);
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file}: ${field} is ${found}, but must be ${wanted}. Correct the field or download the file again.`,
  );
}
