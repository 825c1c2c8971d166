import type { ZooFormat } from "./concat-graph.js";
import type { StateLayers } from "./state-layers.js";

/** What a decoder with one operator for the attention looks like; the defaults are this project's own. */
export interface GroupQueryLayout {
  readonly format?: ZooFormat;
  /** Which operator it is: GroupQueryAttention, MultiHeadAttention, or ONNX's own. */
  readonly attention?: "group-query" | "multi-head" | "standard";
  /** Who turns queries and keys: GroupQueryAttention, or RotaryEmbedding in front of it. */
  readonly turning?: "inside" | "before";
  /** Where RotaryEmbedding has its positions from, or GroupQueryAttention if it has the input. */
  readonly positions?:
    | "mask"
    | "input"
    | "past"
    | "past in a branch"
    | "mask's width"
    | "running sum";
  /** Whether GroupQueryAttention is given the positions too, as its input 9. */
  readonly givesPositions?: boolean;
  /** Where `seqlens_k` and `total_sequence_length` come from. */
  readonly lengths?: "mask" | "positions" | "past";
  /** Whether queries, keys and values are one input. */
  readonly packed?: boolean;
  /** Heads of keys and values by layer, of four. */
  readonly keyHeads?: readonly [number, number];
  /** Elements of a head by layer; multiples of 16. */
  readonly headWidths?: readonly [number, number];
  /** For each of the two layers the rows that a query sees; undefined: all. */
  readonly windows?: readonly [number | undefined, number | undefined];
  /** Bound of the scores: cap · tanh(score / cap). */
  readonly softcap?: number;
  /** As {@link softcap}, of the logits. */
  readonly logitsCap?: number;
  /** What each head may look at instead of a key: one score for all, or one of its own. */
  readonly sink?: "smooth" | "by head";
  /**
   * `attention_bias` for what a query sees and how much, from the mask's width or the past's length;
   * what it sees alone, in {@link biasWindow} rows or all; or the operator's own attribute instead.
   */
  readonly bias?: "mask" | "past" | "window" | "bool" | "attribute";
  /** A second operator that reads the cache: in the logits, in a shape, or in front of the attention. */
  readonly reader?: "mean of present" | "length of present" | "past by Slice";
  /** Whether the layers with windows keep their rows in a ring of at least so many. */
  readonly ring?: boolean;
  /** Whether the second layer has no cache of its own and looks at the first one's. */
  readonly sharesCache?: boolean;
  /** Where the batch is 1. */
  readonly staticBatch?: "inputs" | "a Reshape";
  /** How the table of a long context is picked, behind {@link longBorder} positions. */
  readonly longRope?: "If" | "Where by positions" | "positions behind the short table";
  /** Norms of each head's queries and keys. */
  readonly headNorms?: boolean;
  /** Layers that keep a state instead of a cache. */
  readonly states?: StateLayers;
  /** `num_logits_to_keep` */
  readonly logitsCount?: boolean;
  /** Logits of the last position alone. */
  readonly lastLogits?: boolean;
  /** `hidden_states`, in front of the logits or behind the cache. */
  readonly hiddenStates?: "first" | "last";
  /** The last output first. */
  readonly reversed?: boolean;
  /** A cache's dimensions where they are not the usual. */
  readonly cacheDimensions?: readonly (string | number | undefined)[];
}

export const groupQuerySizes = {
  vocabulary: 56,
  context: 512,
  width: 32,
  heads: 4,
  headWidth: 16,
  layers: 2,
  inner: 32,
} as const;
/** Positions of the context that a longrope model was first trained on. */
export const longBorder = 32;

/** Rows that a query sees by an `attention_bias`. */
export const biasWindow = 24;

/** The layers that have a cache of their own. */
export function cachesOf({ sharesCache = false, states }: GroupQueryLayout): readonly number[] {
  const count = sharesCache ? groupQuerySizes.layers - 1 : groupQuerySizes.layers;
  return Array.from({ length: count }, (_, layer) => layer).filter(
    (layer) => states?.[layer] === undefined,
  );
}

export function keyHeadsOf({ keyHeads }: GroupQueryLayout, layer: number): number {
  return keyHeads?.[layer] ?? 2;
}

export function headWidthOf({ headWidths }: GroupQueryLayout, layer: number): number {
  return headWidths?.[layer] ?? groupQuerySizes.headWidth;
}
