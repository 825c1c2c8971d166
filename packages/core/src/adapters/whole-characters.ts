/**
 * Pieces of a text, cut where characters end: half a surrogate pair at the end of a
 * piece is held until the next, as `TextEncoderStream` does it, because encoding the
 * halves one by one would make two U+FFFD of one character. A half without its other
 * is U+FFFD.
 */
export class WholeCharacters {
  #half = "";

  /** What has become whole with this piece; empty where that is nothing. */
  take(piece: string): string {
    const text = this.#half + piece;
    const end = isFirstHalf(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length;
    this.#half = text.slice(end);
    return text.slice(0, end).toWellFormed();
  }

  /** What is left when no piece comes any more; the second time that is nothing. */
  end(): string {
    const rest = this.#half.toWellFormed();
    this.#half = "";
    return rest;
  }
}

/** NaN, of an empty text, is none. */
function isFirstHalf(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdbff;
}
