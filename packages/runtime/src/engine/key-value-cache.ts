import { StreamgaugeError } from "@streamgauge/core";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { cacheCapacity } from "../onnx/in-place.js";
import type { CacheEntry } from "./cache-entry.js";
import { createFloats, floatTensor, rawFloats } from "./float-tensor.js";
import { FetchedStates } from "./fetched-states.js";
import { StateBuffers } from "./state-buffers.js";
import type { StateEntry } from "./state-entry.js";

/**
 * The keys and values of several sequences, each in a place of its own, numbered
 * from 0: [places, heads, rows, headSize] per entry. And the states of their layers, which
 * have a fixed size: what is kept of a place's rows is what there is a state of.
 */
export interface KeyValueCache {
  /** Rows (positions) held in a place. */
  lengthOf(place: number): number;
  /**
   * Makes room for a run over `count` places from `first` on. A run writes a row into
   * each of them, also into those whose sequence takes no part in it.
   *
   * @param rooms rows that each place which matters must have room for, by place, no
   *   fewer than it holds; of the others, past the first ones, as many are kept as
   *   there is room for
   */
  makeRoom(first: number, count: number, rooms: readonly (number | undefined)[]): void;
  /**
   * Counts the rows that a run has added to a place.
   *
   * @param keepsBefore whether the place's states before the run are kept, so that it can be cut
   *   back to them; the last such ones are. Default: false
   */
  accept(place: number, rows: number, keepsBefore?: boolean): void;
  /** How many of the first `rows` rows of a place can be kept. */
  keepable(place: number, rows: number): number;
  /** Forgets all rows of a place but the first, as many as are {@link keepable}. */
  truncate(place: number, rows: number): void;
  /** Exchanges what is in two places. */
  swap(first: number, second: number): void;
}

/** See {@link createInPlaceCache}. */
export interface InPlaceCache extends KeyValueCache {
  /**
   * Inputs of the next run, over `count` places from `first` on, and the tensors that its
   * outputs are to be fetched into: the same memory; of states, other memory, so that both are
   * to be asked for before each run. They are the same objects each
   * time while no buffer is moved, for the other inputs and outputs to be put into:
   * copying objects of so many names would take a tenth of a millisecond.
   */
  tensors(
    first: number,
    count: number,
  ): Readonly<{ feeds: Record<string, Tensor>; fetches: Record<string, Tensor | null> }>;
}

/** See {@link createFetchedCache}. */
export interface FetchedCache extends KeyValueCache {
  /** Inputs of the next run. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Outputs that it has to fetch. */
  readonly outputs: readonly string[];
  /**
   * Takes what a run has fetched that added so many rows.
   *
   * @throws StreamgaugeError `MODEL_UNSUPPORTED` when they are not those of before and the new ones
   */
  take(results: InferenceSession.OnnxValueMapType, rows: number): void;
}

/** Buffers this many times as long as they have to be are given back. */
const mostSpare = 4;

/**
 * A cache in this side's own buffers, longer than what they hold. A run reads them
 * and writes the rows it adds where they are, so that nothing is moved. Needs a model
 * that runs in place, see `inPlacePatch`.
 *
 * All places are equally long, because they are fed as one tensor: at least as long
 * as the longest that matters.
 *
 * @param leastRows that there has to be room for, however few there are
 */
export function createInPlaceCache(
  entries: readonly CacheEntry[],
  leastRows: number,
  stateEntries: readonly StateEntry[] = [],
): InPlaceCache {
  const states = new StateBuffers(stateEntries);
  let held: number[] = [];
  let places = 0;
  let capacity = 0;
  let blocks = entries.map((entry) => ({ ...entry, buffer: createFloats(entry.type, 0) }));
  /** By first place, count, and the states' side. */
  const views = new Map<string, ReturnType<InPlaceCache["tensors"]>>();

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
    if (enoughPlaces !== places) states.resize(enoughPlaces);
    places = enoughPlaces;
    capacity = enough;
    held = Array.from({ length: places }, (_, place) => Math.min(held[place] ?? 0, enough));
    views.clear();
  }

  /** Room for what matters; and what does not never makes the buffers longer. */
  function resizeFor(rooms: readonly (number | undefined)[]): void {
    const enough = cacheCapacity(Math.max(leastRows, ...rooms.map((rows) => rows ?? 0)));
    if (rooms.length > places || enough > capacity) {
      const fitting = Math.floor((places * capacity) / enough);
      return resize(Math.max(rooms.length, Math.min(places, fitting)), enough);
    }
    const kept = Math.max(enough, cacheCapacity(Math.max(0, ...held)));
    if (kept * mostSpare <= capacity) resize(places, kept);
  }

  return {
    lengthOf: (place) => held[place] ?? 0,
    makeRoom(first, count, rooms) {
      resizeFor(rooms);
      for (let place = first; place < first + count; place++) {
        if (rooms[place] !== undefined) continue;
        held[place] = Math.min(held[place] ?? 0, capacity - 1);
      }
    },
    tensors(first, count) {
      const side = states.align(first, count);
      const key = `${first} ${count} ${side}`;
      let view = views.get(key);
      if (view === undefined) {
        const tensors = blocks.map(({ past, present, type, heads, headSize, buffer }) => {
          const length = heads * capacity * headSize;
          const floats = buffer.subarray(first * length, (first + count) * length);
          const tensor = floatTensor(type, floats, [count, heads, capacity, headSize]);
          return { past, present, tensor };
        });
        view = {
          feeds: Object.fromEntries(tensors.map(({ past, tensor }) => [past, tensor])),
          fetches: Object.fromEntries(tensors.map(({ present, tensor }) => [present, tensor])),
        };
        for (const { past, present, before, behind } of states.tensors(first, count, side)) {
          view.feeds[past] = before;
          view.fetches[present] = behind;
        }
        views.set(key, view);
      }
      return view;
    },
    accept(place, rows, keepsBefore = false) {
      const length = (held[place] ?? 0) + rows;
      held[place] = length;
      states.accept(place, length, keepsBefore);
    },
    keepable: (place, rows) => states.keepable(place, rows),
    truncate(place, rows) {
      held[place] = rows;
      states.truncate(place, rows);
    },
    swap(first, second) {
      const most = Math.max(first, second) + 1;
      if (most > places) resize(most, capacity);
      states.swap(first, second);
      const rows = Math.max(held[first] ?? 0, held[second] ?? 0);
      for (const { heads, headSize, buffer } of rows === 0 ? [] : blocks) {
        for (let head = 0; head < heads; head++) {
          const one = (first * heads + head) * capacity * headSize;
          const other = (second * heads + head) * capacity * headSize;
          const kept = buffer.slice(other, other + rows * headSize);
          buffer.copyWithin(other, one, one + rows * headSize);
          buffer.set(kept, one);
        }
      }
      [held[first], held[second]] = [held[second] ?? 0, held[first] ?? 0];
    },
  };
}

/**
 * A cache that is handed back and forth: each run returns all of it and the next
 * is fed what came back. Slow for long contexts, and right for every graph, also
 * for one that keeps the last rows only, which cannot be cut back then. It has one
 * place.
 */
export function createFetchedCache(
  entries: readonly CacheEntry[],
  stateEntries: readonly StateEntry[] = [],
): FetchedCache {
  const states = new FetchedStates(stateEntries);
  let length = 0;
  /** Fewer than were run, of a graph that keeps the last rows only. */
  let held = 0;
  let feeds: Record<string, Tensor> = Object.fromEntries(
    entries.map((entry) => [entry.past, firstRows(entry, 0, undefined)]),
  );
  return {
    lengthOf: () => length,
    makeRoom: () => undefined,
    get feeds() {
      return { ...feeds, ...states.feeds };
    },
    outputs: [...entries, ...stateEntries].map(({ present }) => present),
    take(results, rows) {
      const counts = entries.map(({ present }) => results[present]?.dims[2] ?? 0);
      for (const [index, count] of counts.entries()) {
        // One that keeps its last rows only keeps more than one.
        const keepsNone = rows === 1 && length > 0 && count === 1;
        if (!keepsNone && count <= length + rows) continue;
        throw returnsOther(entries[index]?.present ?? "", count, length + rows);
      }
      states.take(results);
      held = entries.length === 0 ? length + rows : Math.min(...counts);
      feeds = Object.fromEntries(
        entries.map(({ past, present, type }) => {
          const tensor = results[present] as Tensor;
          return [past, floatTensor(type, rawFloats(tensor), tensor.dims)];
        }),
      );
    },
    accept(_place, rows, keepsBefore = false) {
      if (keepsBefore) states.keep(length);
      length += rows;
    },
    keepable(_place, rows) {
      const kept = states.keepable(length, rows);
      return held === length || kept === length ? kept : 0;
    },
    truncate(_place, rows) {
      states.truncate(length, rows);
      if (rows === length) return;
      length = rows;
      held = rows;
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

function returnsOther(present: string, count: number, run: number): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `The model's output ${present} has ${count} rows when ${run} have been run, and this runtime ` +
      `feeds it to the next run as it is: use an export whose present is its past and the new rows.`,
  );
}
