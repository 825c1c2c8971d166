import type { StreamToken } from "@streamgauge/core";
import { createDraw } from "../statistics/draw.js";

/** Texts that tokens are drawn from. A power of two. */
const textCount = 1024;
/** One in so many is longer than a slot of the ring, some of them than several. */
const longTextEvery = 16;
const mostShortUnits = 8;
const mostLongUnits = 70;

/**
 * Tokens whose every field follows from a seed and their index, so that both
 * threads know the token at an index without telling each other.
 */
export class StressTokens {
  readonly #seed: number;
  readonly #texts: readonly string[];

  constructor(seed: number) {
    this.#seed = seed;
    const draw = createDraw(seed);
    this.#texts = Array.from({ length: textCount }, (_, position) => {
      const most = position % longTextEvery === 0 ? mostLongUnits : mostShortUnits;
      const units = Array.from({ length: draw.integer(0, most) }, () =>
        // Any code unit: halves of surrogate pairs must come through too.
        draw.integer(0, 0xffff),
      );
      return String.fromCharCode(...units);
    });
  }

  at(index: number): StreamToken {
    const hash = mix(index, this.#seed);
    return {
      index,
      id: hash,
      text: this.#textOf(hash),
      endOfSequence: (hash & 1) !== 0,
      logprob: logprobOf(hash),
      producedAtMilliseconds: producedAtOf(hash, index),
    };
  }

  /** Whether this is the token at its index, in every field. */
  isRight(token: StreamToken): boolean {
    const hash = mix(token.index, this.#seed);
    return (
      token.id === hash &&
      token.text === this.#textOf(hash) &&
      token.endOfSequence === ((hash & 1) !== 0) &&
      token.logprob === logprobOf(hash) &&
      token.producedAtMilliseconds === producedAtOf(hash, token.index)
    );
  }

  #textOf(hash: number): string {
    return this.#texts[(hash >>> 8) & (textCount - 1)] ?? "";
  }
}

function logprobOf(hash: number): number | undefined {
  return (hash & 2) === 0 ? undefined : -(hash >>> 4) / 2 ** 24;
}

function producedAtOf(hash: number, index: number): number | undefined {
  return (hash & 4) === 0 ? undefined : index / 4;
}

/** Scatters an integer over 32 bits: the finalizer of MurmurHash3. */
export function mix(value: number, seed: number): number {
  let hash = value ^ Math.imul(seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Violations that are described; the others are counted. */
const mostDescribed = 5;

/** Holds what arrives against what was sent. */
export class SequenceCheck {
  readonly described: string[] = [];
  violations = 0;
  /** Index that the next token must have. */
  next = 0;
  readonly #tokens: StressTokens;

  constructor(tokens: StressTokens) {
    this.#tokens = tokens;
  }

  take(token: StreamToken): void {
    const { index } = token;
    if (index !== this.next) {
      const what = index > this.next ? "lost before it" : "doubled or out of order";
      this.violate(`token ${index} came where ${this.next} was due: ${what}`);
    } else if (!this.#tokens.isRight(token)) {
      this.violate(`token ${index} is torn: ${JSON.stringify(token)}`);
    }
    this.next = index + 1;
  }

  violate(what: string): void {
    this.violations += 1;
    if (this.described.length < mostDescribed) this.described.push(what);
  }
}
