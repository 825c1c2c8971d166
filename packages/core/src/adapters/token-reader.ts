import { setImmediate as nextTurn } from "node:timers/promises";
import type { StreamToken } from "../generator.js";
import type { TokenSource } from "../token-source.js";

/**
 * Tokens delivered in one turn of the event loop at most. A producer that is
 * faster than its consumer would otherwise keep the consuming thread from
 * timers and sockets for as long as the stream lasts.
 */
const tokensPerTurn = 256;
/**
 * Time for which the tokens of one turn are delivered at most, in milliseconds: a
 * consumer that is slow without ever waiting would otherwise keep its own deadline
 * from coming.
 */
const longestTurnMilliseconds = 20;

/** Reads a source one token at a time, without a promise where a token is there already. */
export class TokenReader {
  readonly #source: TokenSource;
  #sinceTurn = 0;
  #turnBeganMilliseconds = performance.now();

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** The next token, or a promise of it; undefined at the end. One call at a time. */
  next(): StreamToken | undefined | Promise<StreamToken | undefined> {
    return this.ready() ?? this.#later();
  }

  /** The next token if it is here already, and this turn has room for it. Never waits. */
  ready(): StreamToken | undefined {
    if (this.#isTurnDue) return undefined;
    const token = this.#source.poll();
    if (token !== undefined) this.#sinceTurn += 1;
    return token;
  }

  async #later(): Promise<StreamToken | undefined> {
    if (this.#isTurnDue) {
      await nextTurn();
      this.#sinceTurn = 0;
      this.#turnBeganMilliseconds = performance.now();
    }
    while (await this.#source.wait()) {
      const token = this.#source.poll();
      if (token !== undefined) return token;
    }
    return undefined;
  }

  get #isTurnDue(): boolean {
    return (
      this.#sinceTurn >= tokensPerTurn ||
      performance.now() - this.#turnBeganMilliseconds >= longestTurnMilliseconds
    );
  }
}
