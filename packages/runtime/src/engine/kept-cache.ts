import type { InferenceSession } from "onnxruntime-node";
import { commonPrefixLength } from "../common-prefix.js";
import type { CacheEntry, KeyValueCache } from "./key-value-cache.js";

/**
 * What of a sequence the next one may go on from: all that was run; only what
 * was run of its prompt; or nothing.
 */
export type PrefixReuse = "sequences" | "prompts" | "off";

/**
 * The most a graph allows without changing what is chosen. A row that was run
 * alone and one that was run with others are sums in another order: a matter of
 * the sixth digit with floats of 32 bits. Half-precision floats round it to their
 * third, and quantised matrices have kernels of another kind for one row. Where
 * activations are quantised by their range, each row depends on all others of its run.
 */
export function mostPrefixReuse(
  operators: ReadonlySet<string>,
  entries: readonly CacheEntry[],
): PrefixReuse {
  if (operators.has("DynamicQuantizeLinear")) return "off";
  const isQuantised = [...operators].some((name) => /Quantize|Integer|NBits|Bnb4/.test(name));
  return isQuantised || entries.some(({ type }) => type === "float16") ? "prompts" : "sequences";
}

/**
 * A cache that outlives the sequence that filled it, and the ids whose rows at
 * its beginning the next sequence can use.
 *
 * An id is there when it was run. The one that was chosen last was not, if the
 * sequence ended with it.
 */
export class KeptCache {
  readonly cache: KeyValueCache;
  /** Fewest ids whose run makes rows that can be used. */
  readonly #leastTogether: number;
  readonly #ids: number[] = [];

  constructor(cache: KeyValueCache, reuse: PrefixReuse) {
    this.cache = cache;
    this.#leastTogether = reuse === "sequences" ? 1 : 2;
  }

  /**
   * Begins a sequence: leaves the rows of the ids that the prompt begins with,
   * and not of all of them, because the logits of its last position are needed.
   *
   * @returns how many rows there are
   */
  begin(promptIds: readonly number[]): number {
    const shared = commonPrefixLength(this.#ids, promptIds);
    const kept = Math.max(0, Math.min(shared, promptIds.length - this.#leastTogether));
    this.cache.truncate(kept);
    this.#ids.length = kept;
    return kept;
  }

  /** Takes in what a run of these ids returned. */
  accept(ids: readonly number[], results: InferenceSession.OnnxValueMapType): void {
    const follows = this.cache.length === this.#ids.length;
    this.cache.accept(ids.length, results);
    if (follows && ids.length >= this.#leastTogether) for (const id of ids) this.#ids.push(id);
  }
}
