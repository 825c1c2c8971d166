import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { mix } from "./stress-tokens.js";

/** Tokens between two pauses of each kind, on average. Powers of two. */
const spinEvery = 2 ** 12;
const turnEvery = 2 ** 13;
const sleepEvery = 2 ** 17;
const longestSpinMicroseconds = 50;

/**
 * Pauses of one side, drawn from a seed: busy ones that let the other side get
 * ahead by a few tokens, turns of the event loop, and sleeps that let it fill or
 * empty the whole ring.
 */
export class StressPauses {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A pause that takes more than this turn of the event loop is returned as a promise. */
  after(index: number): Promise<unknown> | undefined {
    const hash = mix(index, this.#seed);
    if (hash % sleepEvery === 0) return sleep(1);
    if (hash % turnEvery === 1) return nextTurn();
    if (hash % spinEvery === 2) {
      const microseconds = (hash >>> 16) % longestSpinMicroseconds;
      for (const until = performance.now() + microseconds / 1000; performance.now() < until;);
    }
    return undefined;
  }
}
