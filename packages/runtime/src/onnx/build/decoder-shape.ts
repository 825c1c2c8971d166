/**
 * What a decoder computes, as data: everything its graph depends on but the weights. The readers of
 * `config.json` make it (`decoder-config.ts`), the graph is built from it (`decoder-graph.ts`), and
 * neither asks for a family's name.
 */
export interface DecoderShape {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Positions the rotary tables are computed for. */
  readonly contextLength: number;
  /** Whether the output projection is the embedding matrix. */
  readonly tiedEmbeddings: boolean;
  readonly norms: NormShape;
  readonly attention: AttentionShape;
  readonly feedForward: FeedForwardShape;
  readonly multipliers: Multipliers;
  /** The tables that layers turn queries and keys by. */
  readonly rotations: readonly Rotation[];
  readonly layers: readonly LayerShape[];
  /** Why the activations do not fit into half precision; absent: they do. */
  readonly needsFloat32?: string;
}

/** Root-mean-square norms, and where a layer has them. */
export interface NormShape {
  readonly epsilon: number;
  /** What is added to each of their weights. */
  readonly offset: 0 | 1;
  /** The tensors' names in a layer, without `.weight`; absent: there is no norm in this place. */
  readonly beforeAttention?: string;
  /** Of what the attention gives, before it is added to the residual stream. */
  readonly afterAttention?: string;
  readonly beforeFeedForward?: string;
  readonly afterFeedForward?: string;
}

/** What the attention of all layers has in common. */
export interface AttentionShape {
  readonly heads: number;
  /** Divides `heads`; the heads of one group share a key and a value. */
  readonly keyValueHeads: number;
  /** Size of one head; a multiple of 16, as GroupQueryAttention rotates no other. */
  readonly headDimension: number;
  /** Factor of the scores; absent: 1 / √headDimension. */
  readonly scale?: number;
  /** Whether the checkpoint has one matrix `qkv_proj` for queries, keys and values. */
  readonly stacked?: true;
  /**
   * Which projections have a bias: those to queries, keys and values, or the output's too. Absent:
   * none.
   */
  readonly bias?: "inputs" | "all";
  /** What queries and keys are normalised over: each head, or all heads together. Absent: nothing. */
  readonly queryKeyNorm?: "head" | "projection";
}

/** down(activation(gate(x)) · up(x)) */
export interface FeedForwardShape {
  /** Width of the layer. */
  readonly size: number;
  readonly activation: "silu" | "tanh-gelu";
  /** Whether the checkpoint has one matrix `gate_up_proj` for both. */
  readonly stacked?: true;
}

/** Constant factors; 1 where a family has none. */
export interface Multipliers {
  /** Of the embedded ids. */
  readonly embedding: number;
  /** Of each branch that is added to the residual stream. */
  readonly residual: number;
  /** What the logits are divided by. */
  readonly logitsDivisor: number;
}

/**
 * How queries and keys are turned: the element pair i of a head, at a position, by
 * position · frequencies[i]. Pairs are half of what is turned apart; elements behind them stay.
 */
export interface Rotation {
  /** Names its tables in the graph. */
  readonly name: string;
  /** Half as many as there are turned elements in a head. */
  readonly frequencies: readonly number[];
  /** Factor of cosines and sines. */
  readonly scale: number;
  /** Other frequencies for all positions of a context that is longer than `beyond`. */
  readonly long?: { readonly beyond: number; readonly frequencies: readonly number[] };
}

/** What layers differ in. */
export interface LayerShape {
  /** An index of {@link DecoderShape.rotations}; absent: queries and keys are not turned. */
  readonly rotation?: number;
  /** How many positions a query sees, its own among them; absent: all before it. */
  readonly window?: number;
}
