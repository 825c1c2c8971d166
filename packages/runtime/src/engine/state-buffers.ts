import type { Tensor } from "onnxruntime-node";
import { createFloats, floatTensor, type Floats } from "./float-tensor.js";
import type { StateEntry } from "./state-entry.js";

/** Which of the two buffers a place's state is in. */
type Side = 0 | 1;

/** A copy of a place's states, to return to. */
interface Snapshot {
  readonly rows: number;
  readonly floats: readonly Floats[];
}

/** One state's tensors of a run. */
export interface StateTensors {
  readonly past: string;
  readonly present: string;
  /** What the run reads. */
  readonly before: Tensor;
  /** What it writes: other memory. */
  readonly behind: Tensor;
}

/**
 * The states of several sequences, each in a place of its own: [places, …] per entry, twice.
 * A run reads one side and writes the other, so that nothing is copied; a place whose
 * sequence took part has its state on the other side then, and the others have theirs where
 * it was. A state belongs to one number of rows, and cannot be cut back but to a snapshot.
 */
export class StateBuffers {
  readonly #entries: readonly StateEntry[];
  readonly #sizes: readonly number[];
  #buffers: readonly (readonly [Floats, Floats])[];
  #sides: Side[] = [];
  #rows: number[] = [];
  #snapshots: (Snapshot | undefined)[] = [];

  constructor(entries: readonly StateEntry[]) {
    this.#entries = entries;
    this.#sizes = entries.map(({ dimensions }) => dimensions.reduce((all, size) => all * size, 1));
    this.#buffers = this.#createBuffers(0);
  }

  /** Makes room for so many places, and keeps what the first ones hold. */
  resize(places: number): void {
    const kept = Math.min(places, this.#rows.length);
    const old = this.#buffers;
    this.#buffers = this.#createBuffers(places);
    for (const [index, sides] of this.#buffers.entries()) {
      for (const side of [0, 1] as const) {
        const floats = old[index]?.[side].subarray(0, kept * (this.#sizes[index] ?? 0));
        if (floats !== undefined) sides[side].set(floats);
      }
    }
    const resized = <T>(list: readonly T[], none: T): T[] =>
      Array.from({ length: places }, (_, place) => (place < kept ? list[place]! : none));
    this.#sides = resized<Side>(this.#sides, 0);
    this.#rows = resized(this.#rows, 0);
    this.#snapshots = resized<Snapshot | undefined>(this.#snapshots, undefined);
  }

  /** Brings the states of these places to one side, and returns it: the next run reads it. */
  align(first: number, count: number): Side {
    if (this.#entries.length === 0) return 0;
    const places = Array.from({ length: count }, (_, index) => first + index);
    const held = places.filter((place) => (this.#rows[place] ?? 0) > 0);
    const onSecond = held.filter((place) => this.#sides[place] === 1).length;
    const side: Side = onSecond * 2 > held.length ? 1 : 0;
    for (const place of places) {
      const isEmpty = (this.#rows[place] ?? 0) === 0;
      if (!isEmpty && this.#sides[place] === side) continue;
      for (const [index, sides] of this.#buffers.entries()) {
        if (isEmpty) this.#part(sides[side], index, place).fill(0);
        else {
          const other = sides[side === 0 ? 1 : 0];
          this.#part(sides[side], index, place).set(this.#part(other, index, place));
        }
      }
      this.#sides[place] = side;
    }
    return side;
  }

  /** Tensors over these places, which {@link align} has brought to that side. */
  tensors(first: number, count: number, side: Side): readonly StateTensors[] {
    return this.#entries.map(({ past, present, type, dimensions }, index) => {
      const size = this.#sizes[index] ?? 0;
      const tensorOf = (floats: Floats | undefined): Tensor =>
        floatTensor(
          type,
          (floats ?? createFloats(type, 0)).subarray(first * size, (first + count) * size),
          [count, ...dimensions],
        );
      const sides = this.#buffers[index];
      return {
        past,
        present,
        before: tensorOf(sides?.[side]),
        behind: tensorOf(sides?.[side === 0 ? 1 : 0]),
      };
    });
  }

  /**
   * Takes for a place what the last run has written.
   *
   * @param rows how many there are now
   * @param keepsBefore whether what was there before the run is kept to return to
   */
  accept(place: number, rows: number, keepsBefore: boolean): void {
    const side = this.#sides[place] ?? 0;
    if (keepsBefore) {
      const floats = this.#buffers.map((sides, index) =>
        this.#part(sides[side], index, place).slice(),
      );
      this.#snapshots[place] = { rows: this.#rows[place] ?? 0, floats };
    }
    this.#sides[place] = side === 0 ? 1 : 0;
    this.#rows[place] = rows;
  }

  /** The most rows, no more than these, of which there is a state. */
  keepable(place: number, rows: number): number {
    if (this.#entries.length === 0) return rows;
    const known = [this.#rows[place] ?? 0, this.#snapshots[place]?.rows ?? 0];
    return Math.max(0, ...known.filter((count) => count <= rows));
  }

  /**
   * Goes back to so many rows.
   *
   * @throws RangeError where there is no state of them, see {@link keepable}
   */
  truncate(place: number, rows: number): void {
    if (this.keepable(place, rows) !== rows) {
      throw new RangeError(`There is no state of ${rows} rows in place ${place}.`);
    }
    const snapshot = this.#snapshots[place];
    if (snapshot !== undefined && snapshot.rows > rows) this.#snapshots[place] = undefined;
    if (rows === this.#rows[place]) return;
    if (snapshot?.rows === rows) {
      const side = this.#sides[place] ?? 0;
      for (const [index, sides] of this.#buffers.entries()) {
        const floats = snapshot.floats[index];
        if (floats !== undefined) this.#part(sides[side], index, place).set(floats);
      }
    }
    this.#rows[place] = rows;
  }

  /** Exchanges what is in two places. */
  swap(first: number, second: number): void {
    // On the same side.
    for (const place of [first, second]) {
      if (this.#sides[place] === 0) continue;
      for (const [index, [zero, one]] of this.#buffers.entries()) {
        this.#part(zero, index, place).set(this.#part(one, index, place));
      }
      this.#sides[place] = 0;
    }
    for (const [index, [zero]] of this.#buffers.entries()) {
      const kept = this.#part(zero, index, second).slice();
      this.#part(zero, index, second).set(this.#part(zero, index, first));
      this.#part(zero, index, first).set(kept);
    }
    for (const list of [this.#rows, this.#snapshots]) {
      [list[first], list[second]] = [list[second], list[first]];
    }
  }

  #createBuffers(places: number): readonly (readonly [Floats, Floats])[] {
    return this.#entries.map(({ type }, index) => {
      const length = places * (this.#sizes[index] ?? 0);
      return [createFloats(type, length), createFloats(type, length)] as const;
    });
  }

  #part(floats: Floats, index: number, place: number): Floats {
    const size = this.#sizes[index] ?? 0;
    return floats.subarray(place * size, (place + 1) * size);
  }
}
