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
  readonly #asGiven: boolean;
  #logprobs: number[] | undefined;
  /** Only where the tokens have them. */
  #topLogprobs: (readonly TokenLogprob[])[] | undefined;
  #text = "";

  /**
   * @param logprobs whether the tokens carry log-probabilities; "as given" looks
   *   at the first one, for whoever does not know the config
   */
  constructor(logprobs: boolean | "as given") {
    this.#logprobs = logprobs === true ? [] : undefined;
    this.#asGiven = logprobs === "as given";
  }

  add(token: StreamToken): void {
    if (this.#asGiven && this.#ids.length === 0 && token.logprob !== undefined) this.#logprobs = [];
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
    const { promptTokens, producedTokens, cachedTokens } = summary;
    return {
      ids: this.#ids,
      text: this.#text,
      logprobs: this.#logprobs,
      ...(this.#topLogprobs === undefined ? {} : { topLogprobs: this.#topLogprobs }),
      finishReason: stopReason ?? summary.finishReason,
      usage: {
        promptTokens,
        completionTokens: this.#ids.length,
        ...(producedTokens === undefined ? {} : { producedTokens }),
        ...(cachedTokens === undefined ? {} : { cachedTokens }),
      },
      timings: summary.timings,
    };
  }

  /** A failure as the generation's error, which carries what was delivered before it. */
  failure(error: unknown): StreamgaugeError {
    const { code, message } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
    const cause = isStreamgaugeError(error) ? error.cause : error;
    return new StreamgaugeError(code, message, { cause, partial: this.partial });
  }
}
