import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { StreamgaugeError, type ChatMessage, type Prompt } from "@streamgauge/core";

/** One turn of a conversation, in the shape that chat templates take. */
export interface PromptMessage extends ChatMessage {
  readonly role: "system" | "user" | "assistant";
}

/**
 * Turns a conversation into what the model continues: text, token ids, or
 * messages for its chat template. The last message is usually the user's; what
 * opens the answer is up to the renderer.
 */
export type PromptRenderer = (messages: readonly PromptMessage[]) => Prompt | Promise<Prompt>;

/** Text only, a blank line between messages: what a model without a chat template can use. */
export const renderPlainly: PromptRenderer = (messages) =>
  messages.map(({ content }) => content).join("\n\n");

/** The conversation as it is: the model's chat template writes it down. */
export const renderByTemplate: PromptRenderer = (messages) => ({ messages });

/**
 * The SDK's prompt as messages of text.
 *
 * @throws StreamgaugeError `INVALID_PROMPT` for whatever is not text
 */
export function messagesOf(prompt: LanguageModelV4Prompt): PromptMessage[] {
  return prompt.map((message, position) => {
    if (message.role === "tool") throw notText(position, "the result of a tool");
    if (message.role === "system") return { role: "system", content: message.content };
    const texts = message.content.map((part) => {
      if (part.type === "text") return part.text;
      throw notText(position, part.type === "file" ? `a file (${part.mediaType})` : part.type);
    });
    return { role: message.role, content: texts.join("") };
  });
}

function notText(position: number, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_PROMPT",
    `Message ${position} of the prompt holds ${what}; this model takes text only: leave it out.`,
  );
}
