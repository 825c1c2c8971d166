/**
 * The contract of a token generator, in types.
 *
 * Note on the name: `Generator` shadows TypeScript's builtin type of generator
 * functions in the modules that import it. It is the field's word for the
 * thing; use an import alias where you need both.
 *
 * @module
 */
import type { GenerationConfig } from "./config.js";

/**
 * What to continue: a text, token ids of the model's vocabulary, or a
 * conversation, which the model's own chat template writes down. Text is
 * tokenised by the generator, off the calling thread where it has other threads.
 * A generator whose model has no chat template refuses conversations.
 */
export type Prompt = string | ArrayLike<number> | ChatPrompt;

/** A conversation to go on with: what the model writes is the next message. */
export interface ChatPrompt {
  /** At least one, the oldest first. */
  readonly messages: readonly ChatMessage[];
}

/** One turn of a conversation. */
export interface ChatMessage {
  /** Whose turn it is: "system", "user", "assistant", or what else the model's template knows. */
  readonly role: string;
  readonly content: string;
}

/** One token of a completion, as it is delivered. */
export interface StreamToken {
  /** Position in the completion: 0, 1, 2, … without gaps. */
  readonly index: number;
  /** Id in the model's vocabulary. */
  readonly id: number;
  /**
   * The text that became final with this token. It is empty while a character
   * is incomplete (one character can take several tokens), for special tokens,
   * and while what was made may be the beginning of a `config.stop` string. The
   * pieces of a completion, joined, are its text. Where a generator is made of
   * somebody else's pieces, one may end within a surrogate pair; the adapters to
   * text, bytes and events do not.
   */
  readonly text: string;
  /** Whether this is the model's end-of-sequence token. */
  readonly endOfSequence: boolean;
  /**
   * Natural logarithm of the probability the model gave this id, before every
   * option that changes the choice. Present when `config.logprobs` is true.
   */
  readonly logprob: number | undefined;
  /**
   * The `config.topLogprobs` likeliest ids at this position by falling
   * probability, fewer only where the vocabulary is smaller. The token's own id
   * need not be among them. Present when that option is above 0.
   */
  readonly topLogprobs?: readonly TokenLogprob[];
  /**
   * When the id was chosen, in milliseconds on the `performance.now()` clock of
   * the receiving thread; undefined where the generator cannot know.
   */
  readonly producedAtMilliseconds: number | undefined;
  /**
   * When the token crossed from thread to thread. Present only where the
   * generator was asked for it, and knows when the token was produced.
   */
  readonly ledger?: TokenLedger;
}

/** An id and the natural logarithm of the probability the model gave it. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

/**
 * The stations of a token between its production and its delivery, in
 * milliseconds on the `performance.now()` clock of the receiving thread:
 * `producedAtMilliseconds` ≤ published ≤ woken ≤ the moment of delivery.
 */
export interface TokenLedger {
  /** When the producer made the token visible, just before it woke the consumer. */
  readonly publishedAtMilliseconds: number;
  /**
   * When the consumer could first take notice: the later of publication and the
   * end of the consumer's last sleep. The two are the same for a token that was
   * published while the consumer was not asleep in `TokenSource.wait()` but at
   * work on earlier tokens, or away on its own account; what follows until
   * delivery is the consumer's own time.
   */
  readonly wokenAtMilliseconds: number;
}

/** Why a generation ended. Every one of them is a success: the tokens so far are kept. */
export type FinishReason =
  /** The model produced its end-of-sequence token. */
  | "eos"
  /** The model produced one of `config.stopTokenIds`, or the last of a `config.stop` string. */
  | "stop"
  /** `config.maxTokens` tokens were made. */
  | "length"
  /** The model's context is full. */
  | "context"
  | StopReason;

/** Why a consumer, or somebody on its behalf, told a generation to stop. */
export type StopReason =
  /** The consumer wants no more; {@link TokenStream} lists how it says so. */
  | "cancelled"
  /** `config.signal` was aborted. */
  | "aborted"
  /** `config.deadlineMilliseconds` were over, while it waited for its turn or while it ran. */
  | "deadline"
  /** The generator was closed. */
  | "closed";

const stopReasons: readonly string[] = [
  "cancelled",
  "aborted",
  "deadline",
  "closed",
] satisfies StopReason[];

/** Whether a generation was told to stop, and did not end by itself. */
export function isStopReason(reason: FinishReason): reason is StopReason {
  return stopReasons.includes(reason);
}

export interface Usage {
  readonly promptTokens: number;
  /** Tokens in the result, the end-of-sequence token included. */
  readonly completionTokens: number;
  /**
   * Tokens that were made: more than `completionTokens` where a stopped stream
   * left some unread. Absent where the generator cannot know.
   */
  readonly producedTokens?: number;
  /**
   * Tokens at the beginning of the prompt that were not run, because what they
   * leave in the model's key/value cache was there from an earlier generation. At
   * most `promptTokens - 1`. Absent where the generator cannot know.
   */
  readonly cachedTokens?: number;
}

/** Where the time of a generation went. Differences of one monotonic clock, in milliseconds. */
export interface Timings {
  /** From the call to the moment the engine began with it. */
  readonly queueMilliseconds: number;
  /** From there to the first token chosen: tokenising, running the prompt, sampling once. */
  readonly prefillMilliseconds: number;
  /** From the first token chosen to the last. */
  readonly decodeMilliseconds: number;
}

/** What the producer knows about a generation when it has ended. */
export interface GenerationSummary {
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  /** Absent where the producer cannot know; see {@link Usage.producedTokens}. */
  readonly producedTokens?: number;
  /** Absent where the producer cannot know; see {@link Usage.cachedTokens}. */
  readonly cachedTokens?: number;
  readonly timings: Timings;
}

/** A finished generation: the same fields, with the same values, in all three modes. */
export interface GenerationResult {
  /** The completion, without the prompt. */
  readonly ids: readonly number[];
  /** The joined text pieces of the tokens. */
  readonly text: string;
  /** One per id when `config.logprobs` is true, otherwise undefined. */
  readonly logprobs: readonly number[] | undefined;
  /** One list per id when `config.topLogprobs` is above 0 and there are ids. */
  readonly topLogprobs?: readonly (readonly TokenLogprob[])[];
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly timings: Timings;
}

/**
 * Receives each token in order, on the thread that made the call. Returning
 * `false` stops the generation and keeps this token. A returned promise is
 * waited for before the next token is delivered. Whatever it throws ends the
 * generation, and the call rejects with `CALLBACK_FAILED`.
 */
export type TokenCallback = (token: StreamToken) => boolean | void | Promise<boolean | void>;

/**
 * The tokens of one generation as an async iterable. It can be iterated once,
 * directly or through one of the adapters.
 *
 * ## How a generation ends early
 *
 * One contract holds for all ways to consume tokens: the callback, this
 * iterable, and every adapter over it.
 *
 * - **Who may stop it.** The consumer, in its own idiom: a callback returns
 *   `false`; a loop is left by `break`, `return` or a throw; `return()` of an
 *   iterator; `cancel()` of a web stream or its reader; `destroy()` of a Node
 *   stream; a sink that throws under `pipeTo()` or `pipeline()`. All of these
 *   are "cancelled". And somebody on its behalf: `config.signal` ("aborted"),
 *   `config.deadlineMilliseconds` ("deadline"), closing the generator ("closed").
 *   The first one counts, until the consumer has been told of the end: also when the
 *   producer has ended, and its last tokens wait to be read.
 * - **What the consumer sees.** Stopping is not failing: a stream that is stopped
 *   ends like one that is complete, and `result` resolves with the tokens
 *   delivered so far; `finishReason` says which it was. Tokens that were made and
 *   not yet read are dropped. Only a failure rejects, throws or errors: always
 *   with a `StreamgaugeError` whose `partial` has what was delivered.
 * - **A failure wins.** Whoever stops after the producer has failed finds the
 *   failure in `result`, with what was delivered before it.
 * - **When it is over.** The producer notices before its next step. Cancelling
 *   (`break`, `return()`, `cancel()`, the "close" event after `destroy()`)
 *   resolves when the producer has really stopped and its worker is free; it
 *   never rejects.
 * - **A consumer that throws** stops the generation as "cancelled", and sees its
 *   own error. In the callback mode that is `CALLBACK_FAILED`, with what was
 *   thrown as `cause`.
 * - **Nothing is read ahead.** Each step is taken when the consumer asks for it,
 *   so a slow consumer makes the producer wait, and memory is bounded by what is
 *   between the two.
 * - **A stream that is dropped**, neither read to its end nor cancelled, is
 *   stopped as "cancelled" when the garbage collector finds that nobody can read
 *   it any more, never before. That is a net and not a way to stop: until then it
 *   occupies its worker. A stream whose `result` was read before iterating is
 *   wanted by whoever did that, and goes on.
 */
export interface TokenStream extends AsyncIterable<StreamToken> {
  /** @throws StreamgaugeError `STREAM_CONSUMED` the second time */
  [Symbol.asyncIterator](): TokenIterator;
  /**
   * Settles when the generation has ended and its tokens are read, or when it was
   * stopped: with the result, or with the error that the iteration throws too.
   * Reading it before iterating tells the stream to keep tokens in memory until
   * they are iterated, so that waiting for it alone cannot deadlock; at most
   * `config.maxTokens` are kept.
   */
  readonly result: Promise<GenerationResult>;
}

/** The one reader of a {@link TokenStream}. Overlapping calls of `next()` take turns. */
export interface TokenIterator extends AsyncIterator<StreamToken, undefined> {
  next(): Promise<IteratorResult<StreamToken, undefined>>;
  /** Cancels. Resolves when the producer has stopped; never rejects. */
  return(): Promise<IteratorResult<StreamToken, undefined>>;
  [Symbol.asyncIterator](): this;
}

/**
 * A source of completions with three ways to consume one. For the same prompt,
 * config and seed all three yield the same ids, text and finish reason.
 *
 * Failures reject with a {@link StreamgaugeError}; a config or prompt that is
 * wrong is reported the same way, never thrown synchronously. Calls may overlap.
 */
export interface Generator {
  /**
   * Resolves with the whole completion at its end. Nothing is delivered before.
   *
   * <!-- sg:performance-note mode=generate -->
   *
   * Measured on 2026-12-01 (profile full, Intel(R) Xeon(R) Processor, 2 logical cores, Linux
   * 6.18.44-fc-v657 x64, Node.js 20.20.2) with pequod, pooled: 1137 tokens/s at 10 tokens,
   * 1382 tokens/s at 50, 1452 tokens/s at 100 and 1167 tokens/s at 1000. It is what streaming
   * is compared with; against itself it differs by 0.1 % (-0.8 to 1.0) at 10 tokens, 0.5 %
   * (-0.6 to 1.1) at 50, -0.6 % (-1.6 to 0.8) at 100 and -0.2 % (-0.9 to 0.5) at 1000.
   * `docs/STREAMING_PERFORMANCE.md` says what that depends on.
   *
   * <!-- /sg -->
   */
  generate(prompt: Prompt, config?: GenerationConfig): Promise<GenerationResult>;
  /**
   * Calls `onToken` for each token as it is made, and resolves at the end.
   *
   * <!-- sg:performance-note mode=stream -->
   *
   * Measured on 2026-12-01 (profile full, Intel(R) Xeon(R) Processor, 2 logical cores, Linux
   * 6.18.44-fc-v657 x64, Node.js 20.20.2) with pequod, pooled: it takes longer than generate()
   * by 1.7 % (0.9 to 2.8) at 10 tokens, 1.5 % (0.2 to 2.5) at 50, 0.6 % (-0.7 to 1.7) at 100
   * and 0.7 % (-0.4 to 1.6) at 1000; per token by 4.3 µs to 14.1 µs. Less than 5 % is upheld
   * at 10, 50, 100 and 1000 tokens. `docs/STREAMING_PERFORMANCE.md` says what that depends on.
   *
   * <!-- /sg -->
   */
  generateStream(
    prompt: Prompt,
    onToken: TokenCallback,
    config?: GenerationConfig,
  ): Promise<GenerationResult>;
  /**
   * Starts at once and returns the tokens as an async iterable.
   *
   * <!-- sg:performance-note mode=streamAsync -->
   *
   * Measured on 2026-12-01 (profile full, Intel(R) Xeon(R) Processor, 2 logical cores, Linux
   * 6.18.44-fc-v657 x64, Node.js 20.20.2) with pequod, pooled: it takes longer than generate()
   * by 2.0 % (1.4 to 2.7) at 10 tokens, 2.2 % (1.5 to 3.4) at 50, 0.9 % (-0.2 to 1.9) at 100
   * and 1.4 % (0.6 to 2.1) at 1000; per token by 6.5 µs to 18.4 µs. Less than 10 % is upheld
   * at 10, 50, 100 and 1000 tokens. `docs/STREAMING_PERFORMANCE.md` says what that depends on.
   *
   * <!-- /sg -->
   */
  generateStreamAsync(prompt: Prompt, config?: GenerationConfig): TokenStream;
}
