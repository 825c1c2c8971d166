import { setImmediate as nextTurn } from "node:timers/promises";
import type { StreamToken } from "../generator.js";
import type { TokenSource } from "../token-source.js";

/**
 * Tokens delivered in one turn of the event loop at most. A producer that is
 * faster than its consumer would otherwise keep the consuming thread from
 * timers and sockets for as long as the stream lasts.
 */
const tokensPerTurn = 256;

/** Reads a source one token at a time, without a promise where a token is there already. */
export class TokenReader {
  readonly #source: TokenSource;
  #sinceTurn = 0;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** The next token, or a promise of it; undefined at the end. One call at a time. */
  next(): StreamToken | undefined | Promise<StreamToken | undefined> {
    return this.ready() ?? this.#later();
  }

  /** The next token if it is here already, and this turn has room for it. Never waits. */
  ready(): StreamToken | undefined {
    if (this.#sinceTurn >= tokensPerTurn) return undefined;
    const token = this.#source.poll();
    if (token !== undefined) this.#sinceTurn += 1;
    return token;
  }

  async #later(): Promise<StreamToken | undefined> {
    if (this.#sinceTurn >= tokensPerTurn) await nextTurn();
    this.#sinceTurn = 0;
    while (await this.#source.wait()) {
      const token = this.#source.poll();
      if (token !== undefined) return token;
    }
    return undefined;
  }
}
