import type { FloatType } from "./float-tensor.js";

/** One key or value cache of one layer, as the graph names it. */
export interface CacheEntry {
  /** Graph input, `past_key_values.N.key` or `.value`. */
  readonly past: string;
  /** Graph output holding the whole cache after the run. */
  readonly present: string;
  readonly type: FloatType;
  readonly heads: number;
  readonly headSize: number;
}
