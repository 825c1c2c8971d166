import { isJsonObject, parseJsonObject } from "../../json-object.js";
import { readFields, unsupportedField, wrongField } from "./config-fields.js";
import { familyNames, familyOf, readRopeScaling, refuseVariants } from "./llama-families.js";

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

  const { integer, positive } = readFields(config, file);
  const hiddenSize = integer("hidden_size");
  const attentionHeads = integer("num_attention_heads");
  // Only Llama's early configurations leave these out; elsewhere the fallback differs.
  const isLlama = modelType === "llama";
  const rope = isJsonObject(config["rope_parameters"]) ? config["rope_parameters"] : {};
  const bias = attentionBias(config);
  const ropeScaling = readRopeScaling(config, file);
  const shape: LlamaShape = {
    vocabularySize: integer("vocab_size"),
    hiddenSize,
    intermediateSize: integer("intermediate_size"),
    layers: integer("num_hidden_layers", undefined, mostLayers),
    attentionHeads,
    keyValueHeads: integer("num_key_value_heads", isLlama ? attentionHeads : undefined),
    headDimension: integer("head_dim", headNorms ? undefined : hiddenSize / attentionHeads),
    contextLength: integer("max_position_embeddings", undefined, mostPositions),
    normEpsilon: positive("rms_norm_eps"),
    ropeTheta: readFields({ ...config, ...rope }, file).positive("rope_theta", 10_000),
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
    throw unsupportedField(file, "head_dim", shape.headDimension);
  }
  return shape;
}

/**
 * The `config.json` of a shape, in Hugging Face's names; the inverse of
 * {@link parseLlamaConfig}.
 */
export function formatLlamaConfig(shape: LlamaShape): string {
  const scaling = shape.ropeScaling;
  const { architecture, modelType } = familyNames(shape);
  const config = {
    architectures: [architecture],
    model_type: modelType,
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
