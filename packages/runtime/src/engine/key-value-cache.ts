import type { InferenceSession, Tensor } from "onnxruntime-node";
import {
  createFloats,
  floatTensor,
  rawFloats,
  type FloatType,
  type Floats,
} from "./float-tensor.js";

/** One key or value cache of one layer, as the graph names it. */
export interface CacheEntry {
  /** Graph input, `past_key_values.N.key` or `.value`. */
  readonly past: string;
  /** Graph output holding the whole cache after the run. */
  readonly present: string;
  /** Graph output holding only the rows this run added, where the graph has it. */
  readonly added: string;
  readonly type: FloatType;
  readonly heads: number;
  readonly headSize: number;
}

/** The keys and values of one sequence: [1, heads, rows, headSize] per entry. */
export interface KeyValueCache {
  /** Rows (positions) held. */
  readonly length: number;
  /** Outputs to fetch so that {@link accept} can do its work. */
  readonly outputs: readonly string[];
  /** Inputs of a run that adds `rows` positions. */
  feed(rows: number): Readonly<Record<string, Tensor>>;
  /** Takes in what that run returned. */
  accept(rows: number, results: InferenceSession.OnnxValueMapType): void;
  /** Forgets all rows but the first; there must be as many. */
  truncate(rows: number): void;
}

/**
 * Rows by which {@link createDeltaCache} grows. The attention operator copies a
 * buffer as long as the one it is fed, so doubling would cost more than it saves.
 */
const growthRows = 256;

/**
 * A cache in this side's own buffers, longer than what they hold. A run reads
 * them in place and returns only the rows it added, so that a step moves one row
 * instead of the whole cache. Needs a graph whose attention reads no further than
 * the attention mask says (GroupQueryAttention) and that was given the outputs
 * named `added`.
 */
export function createDeltaCache(entries: readonly CacheEntry[]): KeyValueCache {
  let length = 0;
  let capacity = 0;
  let blocks = entries.map((entry) => ({ ...entry, buffer: createFloats(entry.type, 0) }));
  let feeds: Record<string, Tensor> = {};

  function resize(enough: number): void {
    blocks = blocks.map(({ buffer: old, ...entry }) => {
      const { type, heads, headSize } = entry;
      const buffer = createFloats(type, heads * enough * headSize);
      for (let head = 0; head < heads; head++) {
        const from = head * capacity * headSize;
        buffer.set(old.subarray(from, from + length * headSize), head * enough * headSize);
      }
      return { ...entry, buffer };
    });
    capacity = enough;
    feeds = Object.fromEntries(
      blocks.map(({ past, type, heads, headSize, buffer }) => [
        past,
        floatTensor(type, buffer, [1, heads, enough, headSize]),
      ]),
    );
  }

  return {
    get length() {
      return length;
    },
    outputs: entries.map(({ added }) => added),
    feed(rows) {
      const enough = Math.ceil((length + rows) / growthRows) * growthRows;
      // Also when rows were forgotten: what is too long is copied at each step.
      if (enough !== capacity) resize(enough);
      return feeds;
    },
    accept(rows, results) {
      for (const { added, heads, headSize, buffer } of blocks) {
        const source: Floats = rawFloats(results[added] as Tensor);
        for (let head = 0; head < heads; head++) {
          const from = head * rows * headSize;
          buffer.set(
            source.subarray(from, from + rows * headSize),
            (head * capacity + length) * headSize,
          );
        }
      }
      length += rows;
    },
    truncate(rows) {
      length = rows;
    },
  };
}

/**
 * A cache that is handed back and forth: each run returns all of it and the next
 * is fed what came back. Slow for long contexts, and right for every graph.
 */
export function createFetchedCache(entries: readonly CacheEntry[]): KeyValueCache {
  let length = 0;
  let feeds: Record<string, Tensor> = Object.fromEntries(
    entries.map((entry) => [entry.past, firstRows(entry, 0, undefined)]),
  );
  return {
    get length() {
      return length;
    },
    outputs: entries.map(({ present }) => present),
    feed: () => feeds,
    accept(rows, results) {
      feeds = Object.fromEntries(
        entries.map(({ past, present, type }) => {
          const tensor = results[present] as Tensor;
          return [past, floatTensor(type, rawFloats(tensor), tensor.dims)];
        }),
      );
      length += rows;
    },
    truncate(rows) {
      if (rows === length) return;
      length = rows;
      feeds = Object.fromEntries(
        entries.map((entry) => [entry.past, firstRows(entry, rows, feeds[entry.past])]),
      );
    },
  };
}

/** A tensor of its own with the first rows of each head. */
function firstRows(
  { type, heads, headSize }: CacheEntry,
  rows: number,
  tensor: Tensor | undefined,
): Tensor {
  const floats = createFloats(type, heads * rows * headSize);
  if (tensor !== undefined) {
    const source = rawFloats(tensor);
    const headLength = source.length / heads;
    for (let head = 0; head < heads; head++) {
      const from = head * headLength;
      floats.set(source.subarray(from, from + rows * headSize), head * rows * headSize);
    }
  }
  return floatTensor(type, floats, [1, heads, rows, headSize]);
}
