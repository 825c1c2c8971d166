import {
  CollectingSink,
  StreamgaugeError,
  createGenerator,
  createTokenQueue,
  failedSource,
  isStopReason,
  isStreamgaugeError,
  type Collection,
  type FinishReason,
  type GenerationBackend,
  type GenerationConfig,
  type GenerationRequest,
  type GenerationResult,
  type GenerationSummary,
  type Prompt,
  type StopReason,
  type StreamToken,
  type TokenCallback,
  type TokenSink,
  type TokenSource,
} from "@streamgauge/core";
import { isAnswerStatus } from "./answer-status.js";
import { textOf } from "./body-text.js";
import { parseAnswer } from "./openai-answer.js";
import { ChunkReader } from "./openai-chunks.js";
import { Completion } from "./openai-completion.js";
import type { OpenAIGenerator, OpenAIResult, OpenAITokenStream } from "./openai-result.js";
import {
  describe,
  eventStreamOf,
  post,
  refuse,
  resolveServer,
  type OpenAIOptions,
  type Server,
} from "./openai-server.js";
import { isIds } from "./prompt-kinds.js";
import { failedCollection } from "./refusal.js";
import { readEvents } from "./server-sent-events.js";
import { hideSecrets } from "./server-address.js";

/**
 * An OpenAI-compatible HTTP endpoint as a {@link OpenAIGenerator}: `generate()` makes a
 * plain request, the other two modes a request that is streamed as server-sent
 * events.
 *
 * **A chunk is not necessarily a token.** A server may send several tokens in
 * one chunk, or none; HTTP does not say. What is delivered as a token here is a
 * chunk with text in it: chunks that carry only a role, a finish reason or usage
 * are none, and neither is `[DONE]`, so that the time to the first token is the
 * time to the first text. Text that the model reasons in (`reasoning_content` or
 * `reasoning`, or parts of the content) was made like any other, and counts; so does
 * the text of a refusal. Other shapes and kinds of output fail the call by their name.
 *
 * - `id` of a token is its index: ids of the vocabulary are not known over HTTP.
 *   `generate()` gives as many ids as the server counted tokens. Two modes thus
 *   agree in their ids exactly if they agree in their number of tokens, and the
 *   bench notices a server that bundles tokens.
 * - `endOfSequence` is always false, because the end has no text;
 *   `producedAtMilliseconds` is undefined.
 * - `usage` has the server's counts where it sends them. Without them, or with
 *   0 beside text, the streamed modes count chunks, `promptTokens` is NaN for a prompt
 *   without ids, and `generate()` fails.
 * - `finishReason` is "eos" for the server's "stop" (and TGI's "eos_token") and
 *   "length" for its "length". Every other one is a failure. Where the server sends
 *   none, it is inferred if there is text and its end is certain: by `[DONE]`, by
 *   usage after the text and the end of the body, or as one JSON text.
 * - `terms` of the result say what is not in the server's usual words.
 * - `timings` are the client's: prefill is the time from the call to the first
 *   text (for `generate()`, to the whole answer), queue is 0.
 * - The result settles when the server has ended its response.
 *
 * `maxTokens`, `temperature`, `topP`, `presencePenalty`, `frequencyPenalty` and
 * `seed` are sent under their usual names; the seed always is, drawn where none is
 * given. `topK` and `ignoreEos` need the server's extensions; every other option
 * is refused: some speak of ids, others are not part of the interface, and after
 * `stop` the reason for the end would not be known. A prompt of token ids needs
 * the endpoint "completions", a conversation the endpoint "chat".
 *
 * Stopping, for whatever reason, closes the request. Failures are
 * `ENGINE_FAILED`, with the text so far as `partial`: a server that cannot be
 * reached, answers or streams an error (its message is in ours, cleaned and with a
 * limit), breaks off, sends what is not JSON, or ends without a certain end.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function createOpenAIGenerator(options: OpenAIOptions): OpenAIGenerator {
  const server = resolveServer(options);
  return {
    async generate(prompt: Prompt, config?: GenerationConfig): Promise<OpenAIResult> {
      const call = new Call(server);
      return call.withTerms(await createGenerator(call).generate(prompt, config));
    },

    async generateStream(
      prompt: Prompt,
      onToken: TokenCallback,
      config?: GenerationConfig,
    ): Promise<OpenAIResult> {
      const call = new Call(server);
      return call.withTerms(await createGenerator(call).generateStream(prompt, onToken, config));
    },

    generateStreamAsync(prompt: Prompt, config?: GenerationConfig): OpenAITokenStream {
      const call = new Call(server);
      const stream = createGenerator(call).generateStreamAsync(prompt, config);
      let result: Promise<OpenAIResult> | undefined;
      return {
        [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
        // A getter, because reading the result before iterating means something.
        get result() {
          if (result === undefined) {
            result = stream.result.then((uncounted) => call.withTerms(uncounted));
            // The iteration throws the same error.
            result.catch(() => undefined);
          }
          return result;
        },
      };
    },
  };
}

/** One generation: core's backend, and what the server said that core has no place for. */
class Call implements GenerationBackend {
  readonly #server: Server;
  readonly #calledAt = performance.now();
  #completion: Completion | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  collect(request: GenerationRequest): Collection {
    const refused = refuse(request, this.#server);
    if (refused !== undefined) return failedCollection(refused);
    const controller = new AbortController();
    let stopReason: StopReason | undefined;
    const sink = new CollectingSink(false, () => stopReason);
    return {
      stop(reason) {
        stopReason ??= reason;
        controller.abort();
      },
      finished: sink.collect(this.#collect(request, sink, controller.signal)),
    };
  }

  stream(request: GenerationRequest): TokenSource {
    const refused = refuse(request, this.#server);
    if (refused !== undefined) return failedSource(refused);
    const controller = new AbortController();
    const { source } = createTokenQueue(
      (sink) => this.#stream(request, sink, controller.signal),
      queueCapacity,
    );
    return {
      poll: () => source.poll(),
      wait: () => source.wait(),
      stop(reason) {
        source.stop(reason);
        controller.abort();
      },
      get stopReason() {
        return source.stopReason;
      },
      finished: source.finished,
    };
  }

  /** The result with what the server said of it, if it came to an end by itself. */
  withTerms(result: GenerationResult): OpenAIResult {
    const completion = this.#completion;
    if (completion === undefined || isStopReason(result.finishReason)) {
      return { ...result, terms: [] };
    }
    const completionTokens = completion.completionTokens ?? result.usage.completionTokens;
    return {
      ...result,
      usage: { ...result.usage, completionTokens },
      terms: completion.terms,
    };
  }

  async #collect(
    request: GenerationRequest,
    sink: TokenSink,
    signal: AbortSignal,
  ): Promise<GenerationSummary> {
    const completion = (this.#completion = new Completion(this.#server.url, request.config));
    const finishReason = await this.#untilStopped(sink, async () => {
      const whole = await post(this.#server, request, false, signal);
      const answer = parseAnswer(await textOf(whole), this.#server.url);
      completion.count(answer);
      const count = completion.completionTokens;
      // The text cannot be divided into its tokens, so the first one carries it.
      for (let index = 0; index < (count ?? 1); index += 1) {
        sink.push(tokenOf(index, index === 0 ? answer.text : ""));
      }
      completion.end(answer);
      if (count !== undefined) return completion.finish("json");
      throw new StreamgaugeError(
        "ENGINE_FAILED",
        `${this.#server.url} answered without usage.completion_tokens, so that its tokens ` +
          `cannot be counted: use a server that sends usage, or one of the streamed modes.`,
      );
    });
    return this.#summarize(request, finishReason, undefined, undefined);
  }

  async #stream(
    request: GenerationRequest,
    sink: TokenSink,
    signal: AbortSignal,
  ): Promise<GenerationSummary> {
    const completion = (this.#completion = new Completion(this.#server.url, request.config));
    const chunks = new ChunkReader(this.#server.url);
    let firstAt: number | undefined;
    let lastAt: number | undefined;
    let index = 0;

    const tokenNow = (text: string): StreamToken => {
      lastAt = performance.now();
      firstAt ??= lastAt;
      index += 1;
      return tokenOf(index - 1, text);
    };

    const finishReason = await this.#untilStopped(sink, async () => {
      const response = await post(this.#server, request, true, signal);
      const body = await eventStreamOf(response, this.#server);
      try {
        // To its end, and not only to [DONE]: a response that is read to its end
        // leaves a connection that the next request can use.
        for await (const items of readEvents(body)) {
          for (const answer of chunks.read(items)) {
            if (answer.text !== "") {
              const token = tokenNow(answer.text);
              while (!sink.push(token)) await sink.writable();
            }
            completion.count(answer);
            completion.end(answer);
          }
        }
      } catch (error) {
        // After [DONE] everything was said: how the connection ends is of no interest.
        if (!chunks.isDone) throw error;
      }
      return completion.finish(chunks.isDone ? "done" : "body", chunks.foreign);
    });
    return this.#summarize(request, finishReason, firstAt, lastAt);
  }

  /** Runs a request to its finish reason, or to the reason for stopping it. */
  async #untilStopped(sink: TokenSink, run: () => Promise<FinishReason>): Promise<FinishReason> {
    // A signal that was aborted beforehand stops this call before it goes on
    // here: then the server need not hear of it.
    await Promise.resolve();
    if (sink.stopReason !== undefined) return sink.stopReason;
    try {
      return await run();
    } catch (error) {
      // Stopping closes the request, which then fails.
      if (sink.stopReason !== undefined) return sink.stopReason;
      if (isStreamgaugeError(error)) throw this.#withoutSecrets(error);
      throw this.#withoutSecrets(
        new StreamgaugeError(
          "ENGINE_FAILED",
          `The connection to ${this.#server.url} broke off before the completion had ended ` +
            `(${describe(error)}): see the server's log, and run the request again.`,
          { cause: error },
        ),
      );
    }
  }

  /** Servers repeat keys in their errors, and errors are printed and recorded. */
  #withoutSecrets(error: StreamgaugeError): StreamgaugeError {
    const hidden = hideSecrets(error.message, this.#server.secrets);
    if (hidden === error.message) return error;
    // Any other cause can hold the secret too.
    const cause = isAnswerStatus(error.cause) ? error.cause : undefined;
    return new StreamgaugeError(error.code, hidden, { cause });
  }

  #summarize(
    { prompt }: GenerationRequest,
    finishReason: FinishReason,
    firstAt: number | undefined,
    lastAt: number | undefined,
  ): GenerationSummary {
    const first = firstAt ?? performance.now();
    return {
      finishReason,
      promptTokens: this.#completion?.promptTokens ?? (isIds(prompt) ? prompt.length : Number.NaN),
      timings: {
        queueMilliseconds: 0,
        prefillMilliseconds: first - this.#calledAt,
        decodeMilliseconds: (lastAt ?? first) - first,
      },
    };
  }
}

function tokenOf(index: number, text: string): StreamToken {
  return {
    index,
    id: index,
    text,
    endOfSequence: false,
    logprob: undefined,
    producedAtMilliseconds: undefined,
  };
}

/** Chunks that wait for a slow consumer; beyond, the server is held up by the network. */
const queueCapacity = 256;
