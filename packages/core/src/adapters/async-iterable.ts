import { StreamgaugeError } from "../errors.js";
import type {
  GenerationResult,
  GenerationSummary,
  StopReason,
  StreamToken,
  TokenIterator,
  TokenStream,
} from "../generator.js";
import { createTokenQueue } from "../token-queue.js";
import type { TokenSink, TokenSource } from "../token-source.js";
import type { Transcript } from "../transcript.js";
import { armNothing, type ArmStops } from "./arm-stops.js";
import { TokenReader } from "./token-reader.js";

type Step = IteratorResult<StreamToken, undefined>;

/** What {@link iterateTokens} does not know of a source. */
export interface IterationOptions {
  /**
   * Settles when the producer has really stopped after the consumer left. Default:
   * with the source.
   */
  readonly untilStopped?: () => Promise<unknown>;
  /** Who else may stop it. Default: nobody. */
  readonly armStops?: ArmStops;
}

/** Makes a source an async iterable with a result; the contract is {@link TokenStream}'s. */
export function iterateTokens(
  source: TokenSource,
  transcript: Transcript,
  options: IterationOptions = {},
): TokenStream {
  return new IterableTokens(new Delivery(source, transcript, options));
}

/**
 * For one who reads a stream on behalf of others: stops from outside are passed on
 * when the stream is read to its end already, until these have read theirs.
 *
 * @returns to be called then
 */
export function passStopsOn(
  iterator: TokenIterator,
  onStop: (reason: StopReason) => void,
): () => void {
  return Steps.deliveryOf(iterator)?.passStopsOn(onStop) ?? (() => undefined);
}

/**
 * Stops a generation when the collector has taken the only object that could
 * read it: the stream, and once it is iterated the iterator. This works only
 * because nothing that a running generation holds (its source, the delivery,
 * promise reactions on `finished`) leads back to that object.
 */
const unreadable = new FinalizationRegistry<Delivery>((delivery) => delivery.stop("cancelled"));

/** What both handles share, and what a running generation may hold. */
class Delivery {
  readonly source: TokenSource;
  readonly result: Promise<GenerationResult>;
  readonly untilStopped: () => Promise<unknown>;
  readonly #transcript: Transcript;
  readonly #disarm: () => void;
  #onLateStop: ((reason: StopReason) => void) | undefined;
  #settle!: (result: Promise<GenerationResult>) => void;
  #kept: TokenSource | undefined;
  #ended = false;

  constructor(source: TokenSource, transcript: Transcript, options: IterationOptions) {
    const { untilStopped = () => source.finished, armStops = armNothing } = options;
    this.source = source;
    this.untilStopped = untilStopped;
    this.#transcript = transcript;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // The iteration throws the same error: a caller that only iterates has seen it.
    this.result.catch(() => undefined);
    this.#disarm = armStops((reason) => {
      if (this.#ended) this.#onLateStop?.(reason);
      else this.stop(reason);
    });
    // One that its producer's side stopped gives no more tokens: do not wait for a reader.
    const endIfStopped = (): void => {
      if (source.stopReason !== undefined) this.end();
    };
    source.finished.then(endIfStopped, endIfStopped);
  }

  /** Where the consumer reads, and whether reading is what delivers. */
  get reading(): { readonly from: TokenSource; readonly delivers: boolean } {
    return { from: this.#kept ?? this.source, delivers: this.#kept === undefined };
  }

  /** Takes every token as it comes, for a consumer that waits for the result first. */
  keep(): void {
    if (this.#kept !== undefined) return;
    unreadable.unregister(this);
    this.#kept = createTokenQueue((sink) => this.#keep(sink), Infinity).source;
  }

  /** See {@link passStopsOn}. */
  passStopsOn(onStop: (reason: StopReason) => void): () => void {
    this.#onLateStop = onStop;
    return () => {
      this.#onLateStop = undefined;
      if (this.#ended) this.#disarm();
    };
  }

  deliver(token: StreamToken): void {
    this.#transcript.add(token);
  }

  /** Drops what is not delivered, whether or not the producer has ended. */
  stop(reason: StopReason): void {
    if (this.#ended) return;
    this.source.stop(reason);
    this.end();
  }

  /** Settles the result with the producer's end and the tokens delivered by then. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    unreadable.unregister(this);
    if (this.#onLateStop === undefined) this.#disarm();
    this.#settle(
      this.source.finished.then(
        (summary) => this.#transcript.result(summary, this.source.stopReason),
        (error: unknown) => {
          throw this.#transcript.failure(error);
        },
      ),
    );
  }

  async #keep(sink: TokenSink): Promise<GenerationSummary> {
    const reader = new TokenReader(this.source);
    for (let token = await reader.next(); token !== undefined; token = await reader.next()) {
      this.deliver(token);
      sink.push(token);
    }
    this.end();
    return await this.source.finished;
  }
}

/**
 * The next token of an iterator if it is here already and no step of it is out;
 * for adapters that pass on together what came together. Never waits, and takes
 * nothing from an iterator that {@link iterateTokens} has not made.
 */
export function takeReady(tokens: TokenIterator): StreamToken | undefined {
  return tokens instanceof Steps ? tokens.ready() : undefined;
}

class IterableTokens implements TokenStream {
  readonly #delivery: Delivery;
  #iterated = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    unreadable.register(this, delivery, delivery);
  }

  get result(): Promise<GenerationResult> {
    if (!this.#iterated) this.#delivery.keep();
    return this.#delivery.result;
  }

  [Symbol.asyncIterator](): TokenIterator {
    if (this.#iterated) {
      throw new StreamgaugeError(
        "STREAM_CONSUMED",
        "This token stream was iterated before: call generateStreamAsync() for another.",
      );
    }
    this.#iterated = true;
    return new Steps(this.#delivery);
  }
}

class Steps implements TokenIterator {
  readonly #delivery: Delivery;
  readonly #reader: TokenReader;
  readonly #delivers: boolean;
  #pending: Promise<Step> | undefined;
  #over = false;

  constructor(delivery: Delivery) {
    const { from, delivers } = delivery.reading;
    this.#delivery = delivery;
    this.#reader = new TokenReader(from);
    this.#delivers = delivers;
    if (!delivers) return;
    // From here on the stream itself can be dropped, and the iterator not.
    unreadable.unregister(delivery);
    unreadable.register(this, delivery, delivery);
  }

  /** Undefined for an iterator of somebody else's, and for one of tokens that are delivered already. */
  static deliveryOf(iterator: TokenIterator): Delivery | undefined {
    if (!(iterator instanceof Steps) || !iterator.#delivers) return undefined;
    return iterator.#delivery;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    // Overlapping calls take turns, as they do on an async generator.
    if (this.#pending !== undefined) return this.#pending.then(() => this.next());
    if (this.#over) return Promise.resolve(end);
    const token = this.#reader.next();
    if (token !== undefined && !(token instanceof Promise)) {
      return Promise.resolve(this.#give(token));
    }
    // The frame of this call holds the iterator: whoever awaits a step can read.
    this.#pending = this.#later(token);
    return this.#pending;
  }

  ready(): StreamToken | undefined {
    if (this.#pending !== undefined || this.#over) return undefined;
    const token = this.#reader.ready();
    if (token !== undefined && this.#delivers) this.#delivery.deliver(token);
    return token;
  }

  async return(): Promise<Step> {
    if (!this.#over) {
      this.#over = true;
      this.#delivery.stop("cancelled");
    }
    // What the producer failed with is in the result; here it only has to be over.
    await this.#delivery.untilStopped().catch(() => undefined);
    return end;
  }

  async #later(next: Promise<StreamToken | undefined> | undefined): Promise<Step> {
    try {
      const token = await next;
      if (token !== undefined && !this.#over) return this.#give(token);
      this.#over = true;
      if (this.#delivers) this.#delivery.end();
      await this.#delivery.result;
      return end;
    } finally {
      this.#pending = undefined;
    }
  }

  #give(token: StreamToken): Step {
    if (this.#delivers) this.#delivery.deliver(token);
    return { done: false, value: token };
  }
}

const end: Step = { done: true, value: undefined };
