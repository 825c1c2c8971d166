import type { Tensor } from "onnxruntime-node";
import type { KeyValueCache } from "./key-value-cache.js";

/** How a graph is run, and the cache that goes with it. */
export interface WayToRun {
  readonly cache: KeyValueCache;
  /** What each run is fed beside ids, mask and positions. */
  readonly constants: Readonly<Record<string, Tensor>>;
  /** The output that {@link execute} has its logits from. */
  readonly logitsOutput: string;
  /** Whether prompts of several sequences can be run together: there are logits of every position. */
  readonly joinsPrompts: boolean;
  /**
   * Runs the graph over `count` places of the cache from `first` on.
   *
   * @param ids how many each of them is fed, of which some may be less than what is run
   */
  execute(
    feeds: Readonly<Record<string, Tensor>>,
    first: number,
    ids: readonly number[],
  ): Promise<RunLogits>;
}

/** For some of a run's positions, of which the last one is each sequence's last. */
export interface RunLogits {
  /** [count, …, vocabulary], in memory that the next run over these places may use again. */
  readonly logits: Tensor;
  /** The largest of each, where the graph says it. */
  readonly largest: Float32Array | undefined;
}
