/**
 * Looks for strings that end a completion, in text that comes in pieces, and
 * gives back what may be shown: all of it but what may be the beginning of one.
 * Where the pieces begin and end makes no difference.
 *
 * One per completion; constant time per character and stop string.
 */
export interface StopStrings {
  /**
   * Takes the next piece, and returns the text that is decided by it. After the
   * string that ends the completion there is no more.
   *
   * @param mayStop false for a piece in which a stop string that becomes complete does not count
   */
  push(text: string, mayStop: boolean): string;
  /** Whether a stop string has been found. The text before it has been returned then. */
  readonly found: boolean;
  /** What is still held back at the end of the completion. */
  flush(): string;
}

/**
 * @param strings none of them empty. The one that is complete first counts, and
 *   the longest of those that are complete at once.
 */
export function createStopStrings(strings: readonly string[]): StopStrings {
  return strings.length === 0 ? nothingToFind : new Search(strings);
}

const nothingToFind: StopStrings = { push: (text) => text, found: false, flush: () => "" };

class Search implements StopStrings {
  found = false;
  readonly #searches: readonly OneSearch[];
  /** Text that begins at least one of the strings. */
  #held = "";

  constructor(strings: readonly string[]) {
    // The longest first, so that it is the one that is found.
    const byFallingLength = strings.toSorted((a, b) => b.length - a.length);
    this.#searches = byFallingLength.map((string) => new OneSearch(string));
  }

  push(text: string, mayStop: boolean): string {
    if (this.found) return "";
    const pending = this.#held + text;
    for (let index = this.#held.length; index < pending.length; index++) {
      const unit = pending.charCodeAt(index);
      let complete = 0;
      for (const search of this.#searches) {
        // All of them go on, also behind one that is complete and does not count.
        if (search.advance(unit) && complete === 0) complete = search.length;
      }
      if (complete > 0 && mayStop) {
        this.found = true;
        this.#held = "";
        return pending.slice(0, index + 1 - complete);
      }
    }
    const begun = Math.max(...this.#searches.map(({ matched }) => matched));
    this.#held = pending.slice(pending.length - begun);
    return pending.slice(0, pending.length - begun);
  }

  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}

/** Knuth, Morris and Pratt's search for one string. */
class OneSearch {
  /** How much of the string the text so far ends with; less than all of it. */
  matched = 0;
  readonly #string: string;
  /** For a beginning of the string of length n: the longest shorter one it ends with, at n − 1. */
  readonly #shorter: Int32Array;

  constructor(string: string) {
    this.#string = string;
    this.#shorter = new Int32Array(string.length);
    let border = 0;
    for (let index = 1; index < string.length; index++) {
      border = this.#extend(border, string.charCodeAt(index));
      this.#shorter[index] = border;
    }
  }

  get length(): number {
    return this.#string.length;
  }

  /** Takes a UTF-16 code unit. True when the text now ends with the string. */
  advance(unit: number): boolean {
    this.matched = this.#extend(this.matched, unit);
    if (this.matched < this.#string.length) return false;
    this.matched = this.#shorter[this.matched - 1] ?? 0;
    return true;
  }

  #extend(matched: number, unit: number): number {
    let length = matched;
    while (length > 0 && this.#string.charCodeAt(length) !== unit) {
      length = this.#shorter[length - 1] ?? 0;
    }
    return this.#string.charCodeAt(length) === unit ? length + 1 : length;
  }
}
