import type { InferenceSession, Tensor } from "onnxruntime-node";
import { deltaCacheCapacity, newRowsOutput } from "../onnx/patch.js";
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
  /** The first of its heads in the graph's output of added rows, where the graph has it. */
  readonly addedHead: number;
  readonly type: FloatType;
  readonly heads: number;
  readonly headSize: number;
}

/**
 * The keys and values of several sequences, each in a place of its own, numbered
 * from 0: [places, heads, rows, headSize] per entry.
 */
export interface KeyValueCache {
  /** Outputs to fetch so that {@link accept} can do its work. */
  readonly outputs: readonly string[];
  /** Rows (positions) held in a place. */
  lengthOf(place: number): number;
  /**
   * Inputs of a run over `count` places from `first` on.
   *
   * @param lengths rows that each place which matters must have room for, by place;
   *   of the others, past the first ones, as many are kept as there is room for
   */
  feed(
    first: number,
    count: number,
    lengths: readonly (number | undefined)[],
  ): Readonly<Record<string, Tensor>>;
  /**
   * Takes in the first rows that a run returned for one place, the `index`th of those it
   * was fed; it returns as many for each.
   */
  accept(
    place: number,
    index: number,
    rows: number,
    results: InferenceSession.OnnxValueMapType,
  ): void;
  /** Forgets all rows of a place but the first; there must be as many. */
  truncate(place: number, rows: number): void;
  /** Exchanges what is in two places. */
  swap(first: number, second: number): void;
}

/**
 * A cache in this side's own buffers, longer than what they hold. A run reads
 * them in place and returns only the rows it added, so that a step moves one row
 * of each sequence instead of the whole cache. Needs a graph whose attention reads
 * no further than the attention mask says (GroupQueryAttention) and that was given
 * the output {@link newRowsOutput}.
 *
 * All places are equally long, because they are fed as one tensor: as long as the
 * longest that matters.
 */
export function createDeltaCache(entries: readonly CacheEntry[]): KeyValueCache {
  let held: number[] = [0];
  let places = 0;
  let capacity = 0;
  let blocks = entries.map((entry) => ({ ...entry, buffer: createFloats(entry.type, 0) }));
  /** By first place and count. */
  const feeds = new Map<string, Record<string, Tensor>>();

  function resize(enoughPlaces: number, enough: number): void {
    blocks = blocks.map(({ buffer: old, ...entry }) => {
      const { type, heads, headSize } = entry;
      const buffer = createFloats(type, enoughPlaces * heads * enough * headSize);
      for (let place = 0; place < Math.min(places, enoughPlaces); place++) {
        const rows = Math.min(held[place] ?? 0, enough);
        for (let head = place * heads; head < (place + 1) * heads; head++) {
          const from = head * capacity * headSize;
          buffer.set(old.subarray(from, from + rows * headSize), head * enough * headSize);
        }
      }
      return { ...entry, buffer };
    });
    places = enoughPlaces;
    capacity = enough;
    held = Array.from({ length: places }, (_, place) => Math.min(held[place] ?? 0, enough));
    feeds.clear();
  }

  /** Room for what matters; and what does not never makes the buffers longer. */
  function makeRoom(lengths: readonly (number | undefined)[]): void {
    const longest = lengths.reduce<number>((most, rows) => Math.max(most, rows ?? 0), 0);
    const enough = deltaCacheCapacity(longest);
    // Also when rows were forgotten: what is too long is copied at each step.
    if (enough === capacity && lengths.length <= places) return;
    const fitting = enough === 0 ? 0 : Math.floor((places * capacity) / enough);
    resize(Math.max(lengths.length, Math.min(places, fitting)), enough);
  }

  return {
    lengthOf: (place) => held[place] ?? 0,
    outputs: [newRowsOutput],
    feed(first, count, lengths) {
      makeRoom(lengths);
      const key = `${first} ${count}`;
      let fed = feeds.get(key);
      if (fed === undefined) {
        fed = Object.fromEntries(
          blocks.map(({ past, type, heads, headSize, buffer }) => {
            const length = heads * capacity * headSize;
            const floats = buffer.subarray(first * length, (first + count) * length);
            return [past, floatTensor(type, floats, [count, heads, capacity, headSize])];
          }),
        );
        feeds.set(key, fed);
      }
      return fed;
    },
    accept(place, index, rows, results) {
      const length = held[place] ?? 0;
      const tensor = results[newRowsOutput] as Tensor;
      const [, allHeads = 0, returned = 0] = tensor.dims;
      const source: Floats = rawFloats(tensor);
      for (const { addedHead, heads, headSize, buffer } of blocks) {
        for (let head = 0; head < heads; head++) {
          const from = (index * allHeads + addedHead + head) * returned * headSize;
          buffer.set(
            source.subarray(from, from + rows * headSize),
            ((place * heads + head) * capacity + length) * headSize,
          );
        }
      }
      held[place] = length + rows;
    },
    truncate(place, rows) {
      held[place] = rows;
    },
    swap(first, second) {
      const most = Math.max(first, second) + 1;
      if (most > places) resize(most, capacity);
      for (const { heads, headSize, buffer } of blocks) {
        const length = heads * capacity * headSize;
        const other = buffer.slice(second * length, (second + 1) * length);
        buffer.copyWithin(second * length, first * length, (first + 1) * length);
        buffer.set(other, first * length);
      }
      [held[first], held[second]] = [held[second] ?? 0, held[first] ?? 0];
    },
  };
}

/**
 * A cache that is handed back and forth: each run returns all of it and the next
 * is fed what came back. Slow for long contexts, and right for every graph. It has
 * one place.
 */
export function createFetchedCache(entries: readonly CacheEntry[]): KeyValueCache {
  let length = 0;
  let feeds: Record<string, Tensor> = Object.fromEntries(
    entries.map((entry) => [entry.past, firstRows(entry, 0, undefined)]),
  );
  return {
    lengthOf: () => length,
    outputs: entries.map(({ present }) => present),
    feed: () => feeds,
    accept(_place, _index, rows, results) {
      feeds = Object.fromEntries(
        entries.map(({ past, present, type }) => {
          const tensor = results[present] as Tensor;
          return [past, floatTensor(type, rawFloats(tensor), tensor.dims)];
        }),
      );
      length += rows;
    },
    truncate(_place, rows) {
      if (rows === length) return;
      length = rows;
      feeds = Object.fromEntries(
        entries.map((entry) => [entry.past, firstRows(entry, rows, feeds[entry.past])]),
      );
    },
    swap: () => undefined,
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
