import { randomUUID } from "node:crypto";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import {
  toTextStream,
  type FinishReason,
  type GenerationConfig,
  type GenerationResult,
  type Generator,
  type Prompt,
  type TokenStream,
} from "@streamgauge/core";
import type { Runtime } from "../host/runtime.js";
import { configOf, providerName, type LanguageModelDefaults } from "./call-options.js";
import { messagesOf, renderByTemplate, renderPlainly, type PromptRenderer } from "./prompt.js";

export interface LanguageModelOptions {
  /** How the SDK calls the model. Default: the runtime's name for it, or "generator". */
  readonly modelId?: string;
  /**
   * Makes the prompt of a conversation. Default: the model's chat template where
   * the generator says that it has one, otherwise the texts, a blank line between them.
   */
  readonly renderPrompt?: PromptRenderer;
  /**
   * Used where a call sets nothing. A call that sets any of temperature, topK and
   * topP takes none of these from here, nor minP and typicalP.
   */
  readonly defaults?: LanguageModelDefaults;
}

/**
 * A model for the Vercel AI SDK (`generateText`, `streamText`, …) over a runtime,
 * or over any other generator. It does not own the generator: close that yourself.
 *
 * Settings are mapped to {@link GenerationConfig}; what has no counterpart is
 * refused with `INVALID_CONFIG` or `INVALID_PROMPT`. Options of ours that the SDK
 * has no name for can be given as `providerOptions.streamgauge`.
 *
 * The SDK's convention for aborting differs from ours and holds here: a call
 * whose `abortSignal` is aborted rejects with the signal's reason. Cancelling the
 * SDK's stream stops the generation; so does dropping it, in time.
 */
export function createLanguageModel(
  generator: Generator | Runtime,
  options: LanguageModelOptions = {},
): LanguageModelV4 {
  const about = "describe" in generator ? generator.describe() : undefined;
  const ownRenderer = about?.chatTemplate === true ? renderByTemplate : renderPlainly;
  const { renderPrompt = ownRenderer, defaults = {} } = options;
  const modelId = options.modelId ?? about?.model ?? "generator";

  async function read(call: LanguageModelV4CallOptions): Promise<[Prompt, GenerationConfig]> {
    const config = configOf(call, defaults);
    return [await renderPrompt(messagesOf(call.prompt)), config];
  }

  return {
    specificationVersion: "v4",
    provider: providerName,
    modelId,
    supportedUrls: {},

    async doGenerate(call) {
      const [prompt, config] = await read(call);
      const response = startResponse(modelId);
      const result = await generator.generate(prompt, config);
      throwIfAborted(result, config);
      return {
        content: result.text === "" ? [] : [{ type: "text", text: result.text }],
        response,
        warnings: [],
        ...endOf(result),
      };
    },

    async doStream(call) {
      const [prompt, config] = await read(call);
      const response = startResponse(modelId);
      const stream = generator.generateStreamAsync(prompt, config);
      return { stream: toParts(stream, response, config) };
    },
  };
}

type Response = ReturnType<typeof startResponse>;

function startResponse(modelId: string) {
  return { id: randomUUID(), timestamp: new Date(), modelId };
}

/** The tokens as the SDK's parts of a stream, each taken when it is read. */
function toParts(
  stream: TokenStream,
  response: Response,
  config: GenerationConfig,
): ReadableStream<LanguageModelV4StreamPart> {
  const reader = toTextStream(stream).getReader();
  // There is one text in a response.
  const id = "0";
  let cancelled = false;
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      start(controller) {
        controller.enqueue({ type: "stream-start", warnings: [] });
        controller.enqueue({ type: "response-metadata", ...response });
        controller.enqueue({ type: "text-start", id });
      },
      async pull(controller) {
        const { done, value } = await reader.read();
        if (cancelled) return;
        if (!done) return controller.enqueue({ type: "text-delta", id, delta: value });
        const result = await stream.result;
        throwIfAborted(result, config);
        controller.enqueue({ type: "text-end", id });
        controller.enqueue({ type: "finish", ...endOf(result) });
        controller.close();
      },
      async cancel() {
        cancelled = true;
        await reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

function throwIfAborted({ finishReason }: GenerationResult, { signal }: GenerationConfig): void {
  if (finishReason === "aborted") signal?.throwIfAborted();
}

function endOf({ finishReason, usage, timings }: GenerationResult): {
  finishReason: LanguageModelV4FinishReason;
  usage: LanguageModelV4Usage;
  providerMetadata: SharedV4ProviderMetadata;
} {
  const { promptTokens, completionTokens, cachedTokens = 0 } = usage;
  return {
    finishReason: { unified: unified[finishReason], raw: finishReason },
    usage: {
      // A cache is kept anyway: nothing is written to it that would have to be paid for.
      inputTokens: {
        total: promptTokens,
        noCache: promptTokens - cachedTokens,
        cacheRead: cachedTokens,
        cacheWrite: 0,
      },
      outputTokens: { total: completionTokens, text: completionTokens, reasoning: 0 },
      raw: { ...usage },
    },
    providerMetadata: { [providerName]: { timings: { ...timings } } },
  };
}

const unified: Record<FinishReason, LanguageModelV4FinishReason["unified"]> = {
  eos: "stop",
  stop: "stop",
  length: "length",
  context: "length",
  cancelled: "other",
  aborted: "other",
  deadline: "other",
  closed: "other",
};
