import type { CheckpointConfig } from "./random-checkpoint.js";
import { referenceRope, type ReferenceRope } from "./rope-reference.js";

/** In what the families differ, read off a configuration as Hugging Face's modeling code does. */
export interface Peculiarities {
  /** What a norm's weight is more than in the checkpoint. */
  readonly normOffset: number;
  /** Names of the norms before and behind the attention and the feed-forward. */
  readonly norms: {
    readonly beforeAttention?: string;
    readonly afterAttention?: string;
    readonly beforeMlp?: string;
    readonly afterMlp?: string;
  };
  readonly embeddingFactor: number;
  readonly scoreFactor: number;
  readonly branchFactor: number;
  readonly logitsDivisor: number;
  readonly activation: (value: number) => number;
  /** Undefined: the layer turns nothing. */
  readonly rope: (layer: number) => ReferenceRope | undefined;
  /** How many positions a query of the layer sees. */
  readonly window: (layer: number) => number;
}

const silu = (value: number): number => value / (1 + Math.exp(-value));

/** GELU by tanh (arXiv 1606.08415). */
const tanhGelu = (value: number): number =>
  0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));

/** @param ids how many there are in the context */
export function peculiaritiesOf(config: CheckpointConfig, ids: number): Peculiarities {
  const number = (field: string, fallback: number): number =>
    (config[field] as number | null | undefined) ?? fallback;
  const rope = referenceRope(config, number("rope_theta", 10_000), config["rope_scaling"], ids);
  const usual: Peculiarities = {
    normOffset: 0,
    norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
    embeddingFactor: 1,
    scoreFactor: 1 / Math.sqrt(config.head_dim),
    branchFactor: 1,
    logitsDivisor: 1,
    activation: silu,
    rope: () => rope,
    window: () => Infinity,
  };
  switch (config.model_type) {
    case "mistral":
    case "phi3":
      return { ...usual, window: () => number("sliding_window", Infinity) };
    case "smollm3": {
      const turns = config["no_rope_layers"] as readonly number[];
      return { ...usual, rope: (layer) => (turns[layer] === 1 ? rope : undefined) };
    }
    case "granite":
      return {
        ...usual,
        embeddingFactor: number("embedding_multiplier", 1),
        scoreFactor: number("attention_multiplier", 1),
        branchFactor: number("residual_multiplier", 1),
        logitsDivisor: number("logits_scaling", 1),
      };
    case "olmo2":
      return {
        ...usual,
        norms: {
          afterAttention: "post_attention_layernorm",
          afterMlp: "post_feedforward_layernorm",
        },
      };
    case "gemma3_text": {
      const pattern = number("sliding_window_pattern", 6);
      const types = config["layer_types"] as readonly string[] | undefined;
      const slides = (layer: number): boolean =>
        types === undefined ? (layer + 1) % pattern !== 0 : types[layer] === "sliding_attention";
      const local = referenceRope(config, number("rope_local_base_freq", 10_000), null, ids);
      return {
        ...usual,
        normOffset: 1,
        norms: {
          beforeAttention: "input_layernorm",
          afterAttention: "post_attention_layernorm",
          beforeMlp: "pre_feedforward_layernorm",
          afterMlp: "post_feedforward_layernorm",
        },
        embeddingFactor: Math.sqrt(config.hidden_size),
        scoreFactor: 1 / Math.sqrt(number("query_pre_attn_scalar", 256)),
        activation: tanhGelu,
        rope: (layer) => (slides(layer) ? local : rope),
        window: (layer) => (slides(layer) ? number("sliding_window", 4096) : Infinity),
      };
    }
    default:
      return usual;
  }
}
