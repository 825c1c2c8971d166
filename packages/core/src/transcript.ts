import { StreamgaugeError, isStreamgaugeError, type PartialGeneration } from "./errors.js";
import type {
  GenerationResult,
  GenerationSummary,
  StopReason,
  StreamToken,
  TokenLogprob,
} from "./generator.js";

/** Collects the tokens that were delivered and turns them into the result. */
export class Transcript {
  readonly #ids: number[] = [];
  readonly #logprobs: number[] | undefined;
  /** Only where the tokens have them. */
  #topLogprobs: (readonly TokenLogprob[])[] | undefined;
  #text = "";

  /** @param logprobs whether the tokens carry log-probabilities */
  constructor(logprobs: boolean) {
    this.#logprobs = logprobs ? [] : undefined;
  }

  add(token: StreamToken): void {
    this.#ids.push(token.id);
    this.#text += token.text;
    this.#logprobs?.push(token.logprob ?? Number.NaN);
    if (token.topLogprobs !== undefined) (this.#topLogprobs ??= []).push(token.topLogprobs);
  }

  get partial(): PartialGeneration {
    return { ids: this.#ids, text: this.#text };
  }

  /**
   * @param stopReason why the consumer stopped, if it did: it wins over the
   *   producer's reason, which depends on how far ahead the producer was
   */
  result(summary: GenerationSummary, stopReason?: StopReason): GenerationResult {
    const { promptTokens, producedTokens } = summary;
    return {
      ids: this.#ids,
      text: this.#text,
      logprobs: this.#logprobs,
      topLogprobs: this.#topLogprobs,
      finishReason: stopReason ?? summary.finishReason,
      usage: {
        promptTokens,
        completionTokens: this.#ids.length,
        ...(producedTokens === undefined ? {} : { producedTokens }),
      },
      timings: summary.timings,
    };
  }

  /** The same failure, carrying what was delivered before it. */
  failure(error: unknown): StreamgaugeError {
    const { code, message, partial } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
    const cause = isStreamgaugeError(error) ? error.cause : error;
    return new StreamgaugeError(code, message, { cause, partial: partial ?? this.partial });
  }
}
