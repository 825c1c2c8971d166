import type { RopeScaling } from "./rotary-frequencies.js";

/**
 * The shape of a model of the Llama, Qwen2 or Qwen3 family, to be built with random weights: everything
 * its graph depends on but those.
 */
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

/**
 * The `config.json` of a shape, in Hugging Face's names.
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

/** The names of a family that has this shape, for `config.json`. */
function familyNames({ headNorms, attentionBias }: LlamaShape): {
  readonly architecture: string;
  readonly modelType: string;
} {
  if (headNorms === true) return { architecture: "Qwen3ForCausalLM", modelType: "qwen3" };
  if (attentionBias === "inputs") return { architecture: "Qwen2ForCausalLM", modelType: "qwen2" };
  return { architecture: "LlamaForCausalLM", modelType: "llama" };
}
