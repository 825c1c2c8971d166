import {
  isStopReason,
  type GenerationSummary,
  type StopReason,
  type StreamToken,
  type TokenIterator,
  type TokenStream,
} from "../generator.js";
import { countCheck } from "../option-checks.js";
import { invalidOption, readOptions, type OptionTable } from "../option-table.js";
import type { TokenSource } from "../token-source.js";
import { Transcript } from "../transcript.js";
import { iterateTokens, passStopsOn } from "./async-iterable.js";

export interface TeeOptions {
  /**
   * Tokens the fastest branch may be ahead of the slowest, ≥ 1; there it waits.
   * `Infinity` for no limit. Default 256.
   */
  readonly limit?: number;
}

const table: OptionTable<TeeOptions, Required<TeeOptions>> = {
  limit: { check: countCheck(1), default: 256 },
};

/**
 * Several streams of the same tokens. Each branch is a {@link TokenStream} of
 * its own, with a result of what was delivered to it.
 *
 * Memory is bounded: the fastest branch waits for the slowest at the limit, so
 * read them at the same time. A branch that is left, or that the collector takes,
 * no longer counts; its result settles with the generation. The generation is
 * stopped when all are left. Where it is stopped otherwise, so is every branch.
 *
 * @param count number of branches, ≥ 1
 * @throws StreamgaugeError `STREAM_CONSUMED` when the stream is read already,
 *   `INVALID_OPTION`
 */
export function teeTokens(
  stream: TokenStream,
  count?: 2,
  options?: TeeOptions,
): [TokenStream, TokenStream];
export function teeTokens(stream: TokenStream, count: number, options?: TeeOptions): TokenStream[];
export function teeTokens(stream: TokenStream, count = 2, options: TeeOptions = {}): TokenStream[] {
  if (!Number.isInteger(count) || count < 1) {
    throw invalidOption(`count is ${String(count)}; it must be an integer ≥ 1.`);
  }
  const { limit } = readOptions(options, table);
  const trunk = new Trunk(stream, limit);
  const branches = Array.from({ length: count }, () => new Branch(trunk));
  return branches.map((branch) =>
    iterateTokens(branch, new Transcript("as given"), {
      untilStopped: () => branch.untilStopped,
      armStops: (stop) => branch.armStops(stop),
    }),
  );
}

/** The one reader of the stream, and the tokens that some branch has not read. */
class Trunk {
  readonly branches = new Set<Branch>();
  readonly finished: Promise<GenerationSummary>;
  ended = false;
  readonly #iterator: TokenIterator;
  /** To be called when every branch is over for its reader. */
  readonly #disarm: () => void;
  /** Branches that are not. */
  #open = 0;
  readonly #limit: number;
  #tokens: StreamToken[] = [];
  /** Position in the stream of the first of these tokens. */
  #first = 0;
  #pulling = false;

  constructor(stream: TokenStream, limit: number) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#limit = limit;
    // The fastest branch reads the stream to its end, and the others may still be stopped.
    this.#disarm = passStopsOn(this.#iterator, (reason) => this.#end(reason));
    // Iterated before its result is read: the stream does not read itself.
    this.finished = stream.result.then(({ finishReason, usage, timings }) => {
      const { completionTokens: _, ...counts } = usage;
      return { finishReason, timings, ...counts };
    });
    this.finished.then(
      ({ finishReason }) => {
        if (isStopReason(finishReason)) this.#end(finishReason);
      },
      // Whoever waits for a token learns it from the iterator.
      () => undefined,
    );
  }

  add(branch: Branch): void {
    this.branches.add(branch);
    this.#open += 1;
  }

  /** To be called once for each branch that is over for its reader. */
  branchEnded(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#disarm();
  }

  at(position: number): StreamToken | undefined {
    return this.#tokens[position - this.#first];
  }

  /** Takes the next token for a branch that waits for it, if there is room. */
  pull(): void {
    if (this.#pulling || this.ended) return;
    const next = this.#first + this.#tokens.length;
    const wanted = [...this.branches].some((branch) => branch.waitsFor(next));
    if (!wanted || next - this.#slowest() >= this.#limit) return;
    this.#pulling = true;
    this.#iterator.next().then(
      ({ done, value }) => {
        this.#pulling = false;
        if (done === true) return this.#end();
        this.#tokens.push(value);
        this.#wake();
      },
      // `finished` rejects with this error too.
      () => this.#end(),
    );
  }

  /** Forgets what every branch has read, and goes on where that made room. */
  advance(): void {
    const read = this.#slowest() - this.#first;
    // Half of them at a time, so that moving the rest costs nothing per token.
    if (read * 2 >= this.#tokens.length) {
      this.#tokens.splice(0, read);
      this.#first += read;
    }
    this.pull();
  }

  /** Takes a branch out. Resolves when what that stopped has stopped. */
  async leave(branch: Branch): Promise<void> {
    this.branches.delete(branch);
    if (this.branches.size > 0) return this.advance();
    this.#tokens = [];
    await this.#iterator.return();
  }

  #slowest(): number {
    return Math.min(...[...this.branches].map(({ position }) => position));
  }

  /** @param stopReason why it was stopped, if it was: then nothing more is delivered */
  #end(stopReason?: StopReason): void {
    this.ended = true;
    if (stopReason === undefined) return this.#wake();
    // A branch that is stopped leaves.
    for (const branch of this.branches) branch.stopFromOutside(stopReason);
  }

  #wake(): void {
    for (const branch of this.branches) branch.wake();
  }
}

class Branch implements TokenSource {
  /** Position in the stream of the next token to read. */
  position = 0;
  stopReason: StopReason | undefined;
  untilStopped: Promise<void> = Promise.resolve();
  stopFromOutside: (reason: StopReason) => void = (reason) => this.stop(reason);
  readonly finished: Promise<GenerationSummary>;
  readonly #trunk: Trunk;
  #wake: (() => void) | undefined;

  constructor(trunk: Trunk) {
    this.#trunk = trunk;
    this.finished = trunk.finished;
    trunk.add(this);
  }

  /** Whatever stops the trunk stops the branch. */
  armStops(stop: (reason: StopReason) => void): () => void {
    this.stopFromOutside = stop;
    return () => this.#trunk.branchEnded();
  }

  poll(): StreamToken | undefined {
    if (this.stopReason !== undefined) return undefined;
    const token = this.#trunk.at(this.position);
    if (token === undefined) return undefined;
    this.position += 1;
    this.#trunk.advance();
    return token;
  }

  wait(): Promise<boolean> {
    if (this.stopReason !== undefined) return Promise.resolve(false);
    if (this.#hasToken) return Promise.resolve(true);
    if (this.#trunk.ended) return Promise.resolve(false);
    const waiting = new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(this.stopReason === undefined && this.#hasToken);
    });
    this.#trunk.pull();
    return waiting;
  }

  stop(reason: StopReason): void {
    if (this.stopReason !== undefined) return;
    this.stopReason = reason;
    this.wake();
    this.untilStopped = this.#trunk.leave(this);
  }

  waitsFor(position: number): boolean {
    return this.#wake !== undefined && this.position === position;
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  get #hasToken(): boolean {
    return this.#trunk.at(this.position) !== undefined;
  }
}
