import { StreamgaugeError } from "@streamgauge/core";
import type { Clock } from "../../plan/clock.js";

/** A difference of clocks that says nothing: the clock of a test, for example. */
const tenDays = 10 * 86_400e9;

/**
 * Takes the text of one run after the other, and the time at which each token was complete.
 * A stack may cut and join the text as it likes; all of it has to come, once and in order.
 */
export class TextArrivals {
  readonly #clock: Clock;
  readonly #expected: string;
  /** Characters up to the end of each token. */
  readonly #ends: Int32Array;
  readonly #delivered: Float64Array;
  readonly #made: Float64Array;
  #tokens = 0;
  #characters = 0;
  #complete = 0;
  #pieces = 0;
  #wrong: string | undefined;

  /** @param texts of all known tokens, in order; a run has as many of them as it is told */
  constructor(clock: Clock, texts: readonly string[]) {
    let characters = 0;
    this.#clock = clock;
    this.#expected = texts.join("");
    this.#ends = Int32Array.from(texts, ({ length }) => (characters += length));
    this.#delivered = new Float64Array(texts.length);
    this.#made = new Float64Array(texts.length);
  }

  /** Begins a run. */
  reset(tokens: number): void {
    this.#tokens = tokens;
    this.#characters = 0;
    this.#complete = 0;
    this.#pieces = 0;
    this.#wrong = undefined;
    this.#made.fill(Number.NaN);
  }

  /** To be called with each piece of text when it comes; not empty. */
  readonly take = (text: string): void => {
    const now = this.#clock.nowNanoseconds();
    if (!this.#expected.startsWith(text, this.#characters)) this.#wrong ??= text;
    this.#pieces += 1;
    this.#characters += text.length;
    while ((this.#ends[this.#complete] ?? Infinity) <= this.#characters) {
      this.#delivered[this.#complete] = now;
      this.#complete += 1;
    }
  };

  /** When a token was made, on the clock. */
  markMade(index: number, nanoseconds: number): void {
    this.#made[index] = nanoseconds;
  }

  /** Tokens / pieces of the run. */
  get tokensPerPiece(): number {
    return this.#tokens / this.#pieces;
  }

  /** Delivered − made, of each token for which that is known. */
  latenciesNanoseconds(): number[] {
    const latencies: number[] = [];
    for (let index = 0; index < this.#tokens; index += 1) {
      const latency = (this.#delivered[index] as number) - (this.#made[index] as number);
      if (Math.abs(latency) < tenDays) latencies.push(latency);
    }
    return latencies;
  }

  /** @throws StreamgaugeError `OUTPUT_MISMATCH` unless all text came once and in order */
  require(stack: string): void {
    const characters = this.#ends[this.#tokens - 1] ?? 0;
    if (this.#wrong === undefined && this.#characters === characters) return;
    throw new StreamgaugeError(
      "OUTPUT_MISMATCH",
      `${stack} delivered ${this.#characters} of ${characters} characters` +
        (this.#wrong === undefined
          ? "."
          : `; the first wrong piece is ${JSON.stringify(this.#wrong.slice(0, 40))}.`) +
        " All text has to come once and in order; a stack that loses any is not measured.",
    );
  }
}
