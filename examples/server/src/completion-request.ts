import type { ChatPrompt, GenerationConfig, Prompt } from "@streamgauge/core";
import type { RecommendedSampling } from "@streamgauge/runtime";
import { configOf } from "./generation-config.js";
import { otherModel } from "./http-failure.js";
import {
  invalid,
  readChatBody,
  readCompletionBody,
  type ChatBody,
  type CommonBody,
} from "./request-schema.js";

/** The two ways to ask for a completion. */
export type Endpoint = "chat" | "completions";

/** A request that was found to be right, in the library's words. */
export interface CompletionRequest {
  readonly endpoint: Endpoint;
  readonly prompt: Prompt;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly config: GenerationConfig;
}

/** What the server knows about the model it serves. */
export interface ServedModel {
  readonly name: string;
  readonly recommendedSampling: RecommendedSampling;
  /** Whether it takes conversations. */
  readonly chatTemplate: boolean;
  /** Whether special tokens spelt out in messages count as such. */
  readonly specialTokensInMessages: boolean;
}

interface Fields extends CommonBody {
  readonly prompt: Prompt;
  readonly maxTokens: number | undefined;
}

/**
 * Checks a request's body. Null stands for "not given", as with OpenAI; whatever
 * this server cannot honour is refused, unless its value asks for nothing.
 *
 * @throws HttpFailure 400 naming the parameter; 404 for another model
 */
export function parseCompletionRequest(
  endpoint: Endpoint,
  body: unknown,
  model: ServedModel,
): CompletionRequest {
  const isChat = endpoint === "chat";
  const fields = isChat ? readChat(readChatBody(body), model) : readCompletion(body);
  if (fields.model !== model.name) throw otherModel(fields.model, model.name);
  const config = configOf(fields, fields.maxTokens, model.recommendedSampling);
  return {
    endpoint,
    prompt: fields.prompt,
    ...readStreaming(fields),
    // Who sends a text may spell special tokens, as with other servers; who chats may not.
    config: isChat && !model.specialTokensInMessages ? { ...config, plainPrompt: true } : config,
  };
}

function readCompletion(body: unknown): Fields {
  const { max_tokens: maxTokens, ...fields } = readCompletionBody(body);
  return { ...fields, maxTokens };
}

function readChat(body: ChatBody, { chatTemplate }: ServedModel): Fields {
  const { messages, max_tokens, max_completion_tokens, ...fields } = body;
  if (max_tokens !== undefined && max_completion_tokens !== undefined) {
    throw invalid("max_tokens", "it is the old name of max_completion_tokens, and both are given");
  }
  const chat = toChat(messages);
  return {
    ...fields,
    maxTokens: max_completion_tokens ?? max_tokens,
    // A model that was not trained for chats continues what was said, line by line.
    prompt: chatTemplate ? chat : chat.messages.map(({ content }) => content).join("\n"),
  };
}

function toChat(messages: ChatBody["messages"]): ChatPrompt {
  return {
    messages: messages.map(({ role, content }) => ({
      // OpenAI's newer name, which templates do not know.
      role: role === "developer" ? "system" : role,
      content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
    })),
  };
}

function readStreaming({ stream = false, stream_options: options }: CommonBody) {
  const includeUsage = options?.include_usage ?? false;
  const continuousUsage = options?.continuous_usage_stats ?? false;
  if (!stream && (includeUsage || continuousUsage)) {
    throw invalid("stream_options", "it needs stream: true");
  }
  if (continuousUsage && !includeUsage) {
    throw invalid("stream_options.continuous_usage_stats", "it needs include_usage: true");
  }
  return { stream, includeUsage, continuousUsage };
}
