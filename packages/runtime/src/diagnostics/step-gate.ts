import type { StreamToken, TokenSink } from "@streamgauge/core";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";

// Words of the gate's memory.
/** Tokens that may be made, of all generations since the gate was made. */
const allowedWord = 0;
const madeWord = 1;
/** The tokens that were made when the worker was held last. */
const heldWord = 2;
const words = 3;

/** An allowance that no generation uses up. */
const unlimited = 2 ** 31 - 1;

/** Most milliseconds until a worker that is held notices that its generation was stopped. */
const stopCheckMilliseconds = 100;

/**
 * Holds a generation between two tokens, so that measurements can take turns: each makes some
 * tokens while the others wait, and whatever slows the machine slows all of them alike.
 *
 * The runtime's option `stepGate` says which generation it holds: one at a time. A generation that
 * is stopped, and one of a runtime that is closed, is let through. All of it may be called on the
 * thread of the runtime only.
 */
export class StepGate {
  /** What the worker's end looks at. */
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
  readonly #words = new Int32Array(this.memory);

  constructor() {
    this.open();
  }

  /**
   * Lets this many more tokens be made, ≥ 1; then the generation is held. To be called before one
   * begins, or while one is held.
   */
  allow(tokens: number): void {
    this.#set(Atomics.load(this.#words, madeWord) + tokens);
  }

  /** Holds nothing from now on. */
  open(): void {
    this.#set(unlimited);
  }

  /**
   * Resolves when what {@link allow} permits is made and the generation is held. It does not where
   * the generation ends before: wait for that too. The event loop is kept alive meanwhile.
   */
  async held(): Promise<void> {
    for (;;) {
      const heldAt = Atomics.load(this.#words, heldWord);
      const allowed = Atomics.load(this.#words, allowedWord);
      if (heldAt === allowed || allowed === unlimited) return;
      const { async, value } = Atomics.waitAsync(this.#words, heldWord, heldAt);
      if (!async) continue;
      holdEventLoop();
      await value;
      releaseEventLoop();
    }
  }

  #set(allowed: number): void {
    Atomics.store(this.#words, allowedWord, allowed);
    Atomics.notify(this.#words, allowedWord);
    // Whoever waits for a hold that will not come looks again.
    Atomics.notify(this.#words, heldWord);
  }
}

/**
 * The worker's end: a sink that has no more room until the generation may go on. The worker's other
 * generations go on meanwhile.
 */
export function holdAt(memory: SharedArrayBuffer, sink: TokenSink): TokenSink {
  const gate = new Int32Array(memory);
  /** Taken, and to be pushed once more when the hold is over. */
  let heldToken: StreamToken | undefined;
  return {
    get stopReason() {
      return sink.stopReason;
    },
    push(token) {
      if (token === heldToken) {
        heldToken = undefined;
        return true;
      }
      if (!sink.push(token)) return false;
      const made = Atomics.add(gate, madeWord, 1) + 1;
      if (made < Atomics.load(gate, allowedWord)) return true;
      heldToken = token;
      return false;
    },
    async writable() {
      if (heldToken === undefined) return await sink.writable();
      const made = Atomics.load(gate, madeWord);
      for (;;) {
        const allowed = Atomics.load(gate, allowedWord);
        if (made < allowed || sink.stopReason !== undefined) return;
        Atomics.store(gate, heldWord, made);
        Atomics.notify(gate, heldWord);
        const { async, value } = Atomics.waitAsync(
          gate,
          allowedWord,
          allowed,
          stopCheckMilliseconds,
        );
        if (!async) continue;
        holdEventLoop();
        await value;
        releaseEventLoop();
      }
    },
  };
}
