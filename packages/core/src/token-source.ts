import type { GenerationSummary, StopReason, StreamToken } from "./generator.js";

/**
 * The producing end of one generation: what an engine writes to. One producer,
 * one consumer; how they meet (a ring across threads, a queue within one) is
 * the implementation's business.
 */
export interface TokenSink {
  /**
   * Takes a token. False means there is no room for all of it: wait for
   * {@link writable}, look at {@link stopReason}, and push the same token again.
   */
  push(token: StreamToken): boolean;
  /** Resolves when there may be room, or when the consumer has told us to stop. */
  writable(): Promise<void>;
  /** Set once the consumer wants no more. Cheap: an engine asks before every step. */
  readonly stopReason: StopReason | undefined;
}

/**
 * The consuming end of one generation: the primitive under all adapters. All of
 * it belongs to one thread and to one consumer.
 */
export interface TokenSource {
  /** The next token if it is here already. Never waits. */
  poll(): StreamToken | undefined;
  /** Resolves true when it is worth to {@link poll} again, false when no more will come. */
  wait(): Promise<boolean>;
  /** Tells the producer to stop; tokens not yet polled are dropped. Repeating it does nothing. */
  stop(reason: StopReason): void;
  /** The reason given to the first {@link stop}, if any. */
  readonly stopReason: StopReason | undefined;
  /** Settles when the producer has ended; rejects when it failed. */
  readonly finished: Promise<GenerationSummary>;
}

/** A source that ended before it began: it has no tokens, and `finished` rejects. */
export function failedSource(error: unknown): TokenSource {
  const finished = Promise.reject<GenerationSummary>(error);
  finished.catch(() => undefined);
  return {
    poll: () => undefined,
    wait: () => Promise.resolve(false),
    stop: () => undefined,
    stopReason: undefined,
    finished,
  };
}

/** A source that was stopped before it began: it has no tokens, and `finished` resolves. */
export function stoppedSource(stopReason: StopReason): TokenSource {
  return {
    poll: () => undefined,
    wait: () => Promise.resolve(false),
    stop: () => undefined,
    stopReason,
    finished: Promise.resolve(neverBegan(stopReason)),
  };
}

/** The end of a call that was stopped before it began: no tokens, and its prompt was not counted. */
export function neverBegan(finishReason: StopReason): GenerationSummary {
  return {
    finishReason,
    promptTokens: 0,
    producedTokens: 0,
    cachedTokens: 0,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
}
