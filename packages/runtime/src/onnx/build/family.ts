import type { JsonObject } from "../../json-object.js";
import type { ConfigFields } from "./config-fields.js";
import type {
  AttentionShape,
  FeedForwardShape,
  LayerShape,
  Multipliers,
  NormShape,
} from "./decoder-shape.js";
import { ropeFields, type RopeFields, type RopeType } from "./rope-config.js";

/** What a family's functions read of a configuration. */
export interface FamilyConfig {
  readonly config: JsonObject;
  readonly fields: ConfigFields;
  readonly file: string;
  readonly layerCount: number;
}

/** What sets an architecture apart, as far as its configuration leaves it open. */
export interface Family {
  readonly modelType: string;
  /** Whether a configuration without the number of key heads has as many as query heads. */
  readonly derivesKeyHeads: boolean;
  /** Whether a configuration without `head_dim` divides `hidden_size` by the heads. */
  readonly derivesHeadDimension: boolean;
  /** What a configuration without `tie_word_embeddings` means. */
  readonly tiedByDefault: boolean;
  /** The one activation of its feed-forward, and the field that may name another. */
  readonly activation: {
    readonly field: "hidden_act" | "hidden_activation";
    readonly value: string;
    readonly as: FeedForwardShape["activation"];
  };
  readonly norms: Omit<NormShape, "epsilon">;
  /** Whether matrices of the same input are one tensor of the checkpoint. */
  readonly stacked?: true;
  readonly queryKeyNorm?: "head" | "projection";
  readonly bias: (config: JsonObject) => AttentionShape["bias"];
  /** Factor of the scores; undefined: 1 / √head dimension. */
  readonly scale: (fields: ConfigFields) => number | undefined;
  readonly multipliers: (fields: ConfigFields) => Multipliers;
  readonly rope: {
    readonly types: readonly RopeType[];
    readonly aliases: Readonly<Record<string, RopeType>>;
    readonly partial: boolean;
    /** One for each rotation that its layers may have, by the name of its tables. */
    readonly read: (config: JsonObject, file: string) => Readonly<Record<string, RopeFields>>;
  };
  readonly layers: (config: FamilyConfig) => readonly LayerShape[];
  /** Fields that it reads; in others they mean a computation that is not implemented. */
  readonly understands: readonly string[];
  /** Why its activations do not fit into half precision. */
  readonly needsFloat32?: string;
}

export const noMultipliers: Multipliers = { embedding: 1, residual: 1, logitsDivisor: 1 };

/** Attention biases where the field says so: of all four projections. */
export function biasByField(config: JsonObject): AttentionShape["bias"] {
  return config["attention_bias"] === true ? "all" : undefined;
}

/** One rotation for all layers, whose base is this where the configuration has none. */
export function oneRotation(defaultTheta: number): Family["rope"]["read"] {
  return (config, file) => ({ rotary: ropeFields(config, defaultTheta, file) });
}

/** Layers that are all alike. */
export function alike(layerCount: number, layer: LayerShape): readonly LayerShape[] {
  return Array.from({ length: layerCount }, () => layer);
}

/** Llama, of which the others are variants. */
export const llama: Family = {
  modelType: "llama",
  // Only Llama's early configurations leave these out; elsewhere the fallback differs.
  derivesKeyHeads: true,
  derivesHeadDimension: true,
  tiedByDefault: false,
  activation: { field: "hidden_act", value: "silu", as: "silu" },
  norms: {
    offset: 0,
    beforeAttention: "input_layernorm",
    beforeFeedForward: "post_attention_layernorm",
  },
  bias: biasByField,
  scale: () => undefined,
  multipliers: () => noMultipliers,
  rope: {
    types: ["default", "linear", "dynamic", "llama3", "yarn"],
    aliases: {},
    partial: false,
    read: oneRotation(10_000),
  },
  layers: ({ layerCount }) => alike(layerCount, { rotation: 0 }),
  understands: ["attention_bias"],
};
