import {
  CollectingSink,
  StreamgaugeError,
  createGenerator,
  createTokenQueue,
  failedSource,
  type FinishReason,
  type GenerationBackend,
  type GenerationConfig,
  type GenerationRequest,
  type GenerationSummary,
  type Generator,
  type StopReason,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";
import { createIncrementalText } from "./incremental-text.js";
import {
  checkIds,
  checkPromptLength,
  decode,
  encode,
  readSettings,
  type Settings,
  type TransformersModel,
  type TransformersTokenizer,
} from "./transformers-model.js";
import { isIds } from "./prompt-kinds.js";
import {
  failedCollection,
  notThere,
  optionRefused,
  refuseOptions,
  refusingGenerator,
} from "./refusal.js";

/** What {@link createTransformersGenerator} is made of. */
export interface TransformersOptions {
  /** A decoder-only text model. It stays the caller's: dispose of it when done. */
  readonly model: TransformersModel;
  readonly tokenizer: TransformersTokenizer;
}

/**
 * A model that was loaded with `@huggingface/transformers` (transformers.js;
 * tested with 4.3.1) as a {@link Generator}. This package does not depend on it:
 * give it the objects that you have loaded.
 *
 * `generate()` runs transformers.js without a streamer; the other modes take
 * each token from a streamer, and its text from the tokenizer. All of it happens
 * on the calling thread, so each step blocks that thread. A streamer cannot make
 * the model wait: tokens that a slow consumer has not taken are kept in memory,
 * `maxTokens` at most. Stopping takes effect between two steps.
 *
 * The options of a call replace the model's `generation_config`: nothing is
 * sampled or penalised that was not asked for, so that temperature 0 takes the
 * likeliest id, as everywhere in streamgauge. Of core's options,
 *
 * - `topP` and `typicalP` are refused: transformers.js declares them and never
 *   applies them;
 * - `seed` is refused above temperature 0: transformers.js draws from one random
 *   state for the whole process, so two calls cannot have a seed each. Without a
 *   seed it draws, and two runs differ;
 * - `logprobs` is refused, because no log-probabilities come out;
 * - `minP`, `stop`, `minTokens`, `presencePenalty`, `frequencyPenalty` and
 *   `logitBias` are refused: it has none, or means something else by them;
 * - `ignoreEos` lets the end-of-sequence id be chosen and goes on, where
 *   transformers.js' own `min_new_tokens` would forbid the id.
 *
 * Failures are `PROMPT_TOO_LONG`, `INVALID_PROMPT` for ids outside the
 * vocabulary, and `ENGINE_FAILED` for what transformers.js throws and for a run that it
 * ends for a reason of its own, with the tokens so far as `partial`.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for what is not a decoder-only model
 *   and a tokenizer
 */
export function createTransformersGenerator(options: TransformersOptions): Generator {
  const { model, tokenizer } = options;
  if (typeof model?.generate !== "function") {
    throw invalidOption("`model` has no generate(): load it with AutoModelForCausalLM.");
  }
  if (typeof tokenizer !== "function" || typeof tokenizer.decode !== "function") {
    throw invalidOption("`tokenizer` has no decode(): load it with AutoTokenizer.");
  }
  const settings = readSettings(model);
  if (settings.encoderDecoder) {
    throw invalidOption(
      "`model` has an encoder, and its completions do not continue the prompt: load a " +
        "decoder-only model with AutoModelForCausalLM.",
    );
  }
  const generator = createGenerator(createBackend({ model, tokenizer, settings }));
  const seedRefused = refusingGenerator(
    optionRefused(
      "seed",
      "transformers.js draws from one random state for the whole process. Leave it out, or set " +
        "the temperature to 0.",
    ),
  );
  // A resolved config always has a seed, so only here is it known who chose it.
  const generatorFor = (config: GenerationConfig | undefined): Generator =>
    config?.seed !== undefined && (config.temperature ?? 0) > 0 ? seedRefused : generator;
  return {
    generate: (prompt, config) => generatorFor(config).generate(prompt, config),
    generateStream: (prompt, onToken, config) =>
      generatorFor(config).generateStream(prompt, onToken, config),
    generateStreamAsync: (prompt, config) =>
      generatorFor(config).generateStreamAsync(prompt, config),
  };
}

/** What is loaded. */
interface Loaded extends TransformersOptions {
  readonly settings: Settings;
}

function createBackend(loaded: Loaded): GenerationBackend {
  return {
    collect(request) {
      const refused = refuse(request);
      if (refused !== undefined) return failedCollection(refused);
      const calledAt = performance.now();
      let stopReason: StopReason | undefined;
      const sink = new CollectingSink(false, () => stopReason);
      return {
        stop(reason) {
          stopReason ??= reason;
        },
        finished: sink.collect(collect(loaded, request, sink, calledAt)),
      };
    },
    stream(request) {
      const refused = refuse(request);
      if (refused !== undefined) return failedSource(refused);
      const calledAt = performance.now();
      return createTokenQueue((sink) => stream(loaded, request, sink, calledAt), Infinity).source;
    },
  };
}

function refuse({ config }: GenerationRequest): StreamgaugeError | undefined {
  return refuseOptions(config, {
    topP: "transformers.js declares top_p and never applies it. Leave it out, or use topK.",
    minP: notThere,
    typicalP: "transformers.js declares typical_p and never applies it. Leave it out, or use topK.",
    logprobs: "transformers.js does not give them. Leave it out.",
    topLogprobs: "transformers.js does not give them. Leave it out.",
    minTokens: "transformers.js' min_new_tokens knows no stop ids. Leave it out.",
    stop: "transformers.js has no stop strings. Leave it out, or use stopTokenIds.",
    presencePenalty: notThere,
    frequencyPenalty: notThere,
    logitBias: notThere,
    plainPrompt: "transformers.js always takes them for the tokens. Leave it out.",
    temperature: undefined,
    topK: undefined,
    repetitionPenalty: undefined,
    noRepeatNgramSize: undefined,
    stopTokenIds: undefined,
    ignoreEos: undefined,
  });
}

/** Without a streamer: the ids are noted as they are made, and decoded once at the end. */
async function collect(
  loaded: Loaded,
  request: GenerationRequest,
  sink: TokenSink,
  calledAt: number,
): Promise<GenerationSummary> {
  const decoding = new Decoding(loaded, request, sink, calledAt);
  const ids: number[] = [];
  try {
    return await decoding.run({
      stopping_criteria: [
        ([sequence = []]: (number | bigint)[][]) => {
          const id = Number(sequence.at(-1));
          decoding.step(id);
          ids.push(id);
          return [decoding.finishReason !== undefined];
        },
      ],
    });
  } finally {
    // Also when it failed: then this is the partial result. The text is not
    // divided by token, so the last one carries it.
    const text = ids.length === 0 ? "" : decode(loaded.tokenizer, ids);
    for (const [index, id] of ids.entries()) {
      sink.push(decoding.tokenOf(index, id, index === ids.length - 1 ? text : ""));
    }
  }
}

async function stream(
  loaded: Loaded,
  request: GenerationRequest,
  sink: TokenSink,
  calledAt: number,
): Promise<GenerationSummary> {
  const decoding = new Decoding(loaded, request, sink, calledAt);
  const text = createIncrementalText((ids) => decode(loaded.tokenizer, ids));
  let promptSeen = false;
  let index = 0;
  return await decoding.run({
    streamer: {
      put([ids = []]: (number | bigint)[][]) {
        // The first call brings the prompt.
        if (!promptSeen) {
          promptSeen = true;
          return;
        }
        const id = Number(ids[0]);
        decoding.step(id);
        const piece = text.push(id);
        const ended = decoding.finishReason !== undefined;
        sink.push(decoding.tokenOf(index, id, ended ? piece + text.flush() : piece));
        index += 1;
      },
      end: () => undefined,
    },
    stopping_criteria: [() => [decoding.finishReason !== undefined]],
  });
}

/** One run of transformers.js: its inputs, and when and why it ends. */
class Decoding {
  finishReason: FinishReason | undefined;
  readonly #loaded: Loaded;
  readonly #request: GenerationRequest;
  readonly #stopIds: ReadonlySet<number>;
  readonly #sink: TokenSink;
  readonly #calledAt: number;
  #promptTokens = 0;
  #completionTokens = 0;
  #firstAt: number | undefined;
  #lastAt = 0;

  constructor(loaded: Loaded, request: GenerationRequest, sink: TokenSink, calledAt: number) {
    this.#loaded = loaded;
    this.#request = request;
    this.#stopIds = new Set(request.config.stopTokenIds);
    this.#sink = sink;
    this.#calledAt = calledAt;
  }

  /** @param hooks transformers.js' streamer and stopping criteria, which call {@link step} */
  async run(hooks: Readonly<Record<string, unknown>>): Promise<GenerationSummary> {
    // Lets a signal that was aborted beforehand stop the call, as tokenising and
    // the first step would block the thread.
    await Promise.resolve();
    const { model, tokenizer, settings } = this.#loaded;
    const { prompt, config } = this.#request;
    const startedAt = performance.now();
    checkIds("stopTokenIds", config.stopTokenIds, "INVALID_CONFIG", settings);
    if (isIds(prompt)) checkIds("prompt", prompt, "INVALID_PROMPT", settings);
    const inputs = encode(tokenizer, prompt);
    this.#promptTokens = inputs.input_ids.dims.at(-1) ?? 0;
    checkPromptLength(this.#promptTokens, settings.contextLength);
    this.finishReason = this.#sink.stopReason;
    if (this.finishReason === undefined) {
      await model.generate({
        ...inputs,
        ...plainDecoding,
        ...hooks,
        max_new_tokens: config.maxTokens,
        do_sample: config.temperature > 0,
        temperature: config.temperature > 0 ? config.temperature : 1,
        // Without it, 50 would be the default.
        top_k: config.topK ?? 0,
        repetition_penalty: config.repetitionPenalty,
        no_repeat_ngram_size: config.noRepeatNgramSize,
        ...(config.ignoreEos ? { eos_token_id: null } : {}),
      });
    }
    if (this.finishReason === undefined) throw this.#endedEarly();
    const firstAt = this.#firstAt;
    return {
      finishReason: this.finishReason,
      promptTokens: this.#promptTokens,
      producedTokens: this.#completionTokens,
      cachedTokens: 0,
      timings: {
        queueMilliseconds: startedAt - this.#calledAt,
        prefillMilliseconds: (firstAt ?? performance.now()) - startedAt,
        decodeMilliseconds: firstAt === undefined ? 0 : this.#lastAt - firstAt,
      },
    };
  }

  /** Takes note of an id as it is made, and decides whether it is the last. */
  step(id: number): void {
    const { settings } = this.#loaded;
    const { config } = this.#request;
    this.#lastAt = performance.now();
    this.#firstAt ??= this.#lastAt;
    this.#completionTokens += 1;
    if (settings.eosTokenIds.has(id) && !config.ignoreEos) this.finishReason = "eos";
    else if (this.#stopIds.has(id)) this.finishReason = "stop";
    else if (this.#completionTokens >= config.maxTokens) this.finishReason = "length";
    else if (this.#promptTokens + this.#completionTokens >= settings.contextLength) {
      this.finishReason = "context";
    } else this.finishReason = this.#sink.stopReason;
  }

  /** The limit is a reason that {@link step} gives: without any, something else has ended the run. */
  #endedEarly(): StreamgaugeError {
    return new StreamgaugeError(
      "ENGINE_FAILED",
      `transformers.js ended after ${this.#completionTokens} of ` +
        `${this.#request.config.maxTokens} tokens, for a reason of its own: see what the model's ` +
        `generation_config limits.`,
    );
  }

  tokenOf(index: number, id: number, text: string): StreamToken {
    return {
      index,
      id,
      text,
      endOfSequence: this.#loaded.settings.eosTokenIds.has(id),
      logprob: undefined,
      producedAtMilliseconds: this.#lastAt,
    };
  }
}

/** Undoes what a model's `generation_config` may ask for and no option of a call replaces. */
const plainDecoding: Readonly<Record<string, unknown>> = {
  num_beams: 1,
  num_return_sequences: 1,
  min_length: 0,
  min_new_tokens: null,
  bad_words_ids: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  forced_bos_token_id: null,
  forced_eos_token_id: null,
  guidance_scale: null,
  return_dict_in_generate: false,
};

function invalidOption(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
