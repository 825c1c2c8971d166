import { StreamgaugeError } from "@streamgauge/core";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { createFloats, floatTensor, rawFloats } from "./float-tensor.js";
import type { StateEntry } from "./state-entry.js";

/** The states of one sequence, handed back and forth: what a run returns is what the next is fed. */
export class FetchedStates {
  readonly #entries: readonly StateEntry[];
  #feeds: Readonly<Record<string, Tensor>>;
  /** What the last run was fed. */
  #before: Readonly<Record<string, Tensor>>;
  #kept: { readonly rows: number; readonly feeds: Readonly<Record<string, Tensor>> } | undefined;

  constructor(entries: readonly StateEntry[]) {
    this.#entries = entries;
    this.#feeds = this.#before = this.#zeros();
  }

  /** Inputs of the next run. */
  get feeds(): Readonly<Record<string, Tensor>> {
    return this.#feeds;
  }

  /** @throws StreamgaugeError `MODEL_UNSUPPORTED` for states of another size than they were fed in */
  take(results: InferenceSession.OnnxValueMapType): void {
    const taken = this.#entries.map(({ past, present, type, dimensions }) => {
      const tensor = results[present] as Tensor;
      const dims = [1, ...dimensions];
      if (tensor.dims.join() !== dims.join()) throw otherSize(present, tensor.dims, past, dims);
      return [past, floatTensor(type, rawFloats(tensor), dims)] as const;
    });
    this.#before = this.#feeds;
    this.#feeds = Object.fromEntries(taken);
  }

  /** Keeps what the last run was fed, to return to: the states of so many rows. */
  keep(rows: number): void {
    if (this.#entries.length > 0) this.#kept = { rows, feeds: this.#before };
  }

  /**
   * The most rows, no more than these, of which there is a state.
   *
   * @param length rows that were run
   */
  keepable(length: number, rows: number): number {
    if (this.#entries.length === 0) return rows;
    return Math.max(0, ...[length, this.#kept?.rows ?? 0].filter((count) => count <= rows));
  }

  /**
   * Goes back from `length` rows to so many.
   *
   * @throws RangeError where there is no state of them, see {@link keepable}
   */
  truncate(length: number, rows: number): void {
    if (this.keepable(length, rows) !== rows) {
      throw new RangeError(`There is no state of ${rows} rows.`);
    }
    if (rows !== length) this.#feeds = rows === 0 ? this.#zeros() : (this.#kept?.feeds ?? {});
    if ((this.#kept?.rows ?? 0) > rows) this.#kept = undefined;
  }

  #zeros(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries(
      this.#entries.map(({ past, type, dimensions }) => [past, zeroState(type, dimensions)]),
    );
  }
}

/** The state of a sequence of which nothing was run. */
export function zeroState(type: StateEntry["type"], dimensions: readonly number[]): Tensor {
  const size = dimensions.reduce((all, length) => all * length, 1);
  return floatTensor(type, createFloats(type, size), [1, ...dimensions]);
}

function otherSize(
  present: string,
  dims: readonly number[],
  past: string,
  wanted: readonly number[],
): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `The model's output ${present} has the dimensions [${dims.join(", ")}], and its input ${past}, ` +
      `which it is to be next, [${wanted.join(", ")}]: use an export whose states keep their size.`,
  );
}
