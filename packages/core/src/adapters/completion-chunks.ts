import { StreamgaugeError } from "../errors.js";
import type { FinishReason, GenerationResult, Usage } from "../generator.js";

/** What the chunks of one completion have in common. */
export interface CompletionChunkOptions {
  /**
   * `chat` makes `chat.completion.chunk` objects with a `delta`, `completions`
   * makes `text_completion` objects with a `text`.
   */
  readonly endpoint: "chat" | "completions";
  /** The completion's id, the same in every chunk. */
  readonly id: string;
  /** The model's name for clients. */
  readonly model: string;
  /** When the request came, in whole seconds since 1970. */
  readonly createdSeconds: number;
  /** Send a last chunk without choices that counts the tokens. Default false. */
  readonly includeUsage?: boolean;
  /**
   * Count the completion's tokens so far in each chunk with text, as
   * `usage.completion_tokens`: a chunk can have the text of several. The tokens of the
   * prompt are known at the end, and counted in the last chunk. Needs `includeUsage`.
   * Default false.
   */
  readonly continuousUsage?: boolean;
}

/** Why a completion ended, in the two words that every client knows. */
export type CompletionFinishReason = "stop" | "length";

/**
 * A finish reason in OpenAI's words: "stop" where the model came to an end ("eos",
 * "stop"), and "length" where the text is cut short, by `maxTokens`, the context,
 * a deadline, a closed runtime or whoever stopped it. OpenAI has no word for the
 * last three, and a client that takes "length" for "there would have been more"
 * is right in each case.
 */
export function completionFinishReason(reason: FinishReason): CompletionFinishReason {
  return reason === "eos" || reason === "stop" ? "stop" : "length";
}

/** Counts of tokens under OpenAI's names. */
export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Prompt tokens that were in a cache. Absent where the generator cannot know. */
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

export function completionUsage(usage: Usage): CompletionUsage {
  const { promptTokens, completionTokens, cachedTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
  };
}

/** Makes the JSON of one completion's chunks, in order. */
export interface CompletionChunks {
  /**
   * The chunk of some text. The first of a chat also says whose turn it is.
   *
   * @param completionTokens how many tokens there are up to here
   */
  piece(text: string, completionTokens: number): string;
  /**
   * The chunks behind the last text. `native_finish_reason` beside `finish_reason`
   * is our own word for it.
   */
  end(result: GenerationResult): readonly string[];
}

export function completionChunks(options: CompletionChunkOptions): CompletionChunks {
  const { endpoint, id, model, createdSeconds, includeUsage = false } = options;
  const { continuousUsage = false } = options;
  if (continuousUsage && !includeUsage) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      "continuousUsage counts in each chunk what includeUsage counts at the end: set includeUsage too.",
    );
  }
  const isChat = endpoint === "chat";
  const common = {
    id,
    object: isChat ? "chat.completion.chunk" : "text_completion",
    created: createdSeconds,
    model,
  };
  let isFirst = true;

  function chunk(text: string | undefined, ending: object, usage: object | null = null): string {
    // The role comes with the first text: tools take a chunk of its own for the first token.
    const role = isFirst ? { role: "assistant" } : {};
    isFirst = false;
    const content = isChat
      ? { delta: { ...role, ...(text === undefined ? {} : { content: text }) } }
      : { text: text ?? "" };
    return toJsonLine({
      ...common,
      choices: [{ index: 0, ...content, logprobs: null, ...ending }],
      ...(includeUsage ? { usage } : {}),
    });
  }

  return {
    piece: (text, completionTokens) =>
      chunk(
        text,
        { finish_reason: null },
        continuousUsage ? { completion_tokens: completionTokens } : null,
      ),
    end({ finishReason, usage }) {
      const last = chunk(undefined, {
        finish_reason: completionFinishReason(finishReason),
        native_finish_reason: finishReason,
      });
      if (!includeUsage) return [last];
      return [last, toJsonLine({ ...common, choices: [], usage: completionUsage(usage) })];
    },
  };
}

/** The JSON of a failure in OpenAI's shape; `code` is the error's own. */
export function completionFailure(error: unknown): string {
  const { code, message } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
  return toJsonLine({ error: { message, type: "server_error", param: null, code } });
}

/**
 * JSON that stays one line for every reader: some take Unicode's line ends for
 * ends of lines, which the standard of server-sent events does not.
 */
function toJsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0085\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
