import { StreamgaugeError } from "./errors.js";
import type { ChatMessage, ChatPrompt, Prompt } from "./generator.js";
import { show } from "./option-checks.js";
import { isTokenId } from "./token-id.js";

/** A prompt that was found to be right, as plain data that crosses threads. */
export type ResolvedPrompt = string | readonly number[] | ChatPrompt;

/**
 * Checks the part of a prompt's contract that needs no model.
 *
 * @returns the prompt as plain data that crosses threads
 * @throws StreamgaugeError `INVALID_PROMPT`, naming the message or the position that is wrong
 */
export function resolvePrompt(prompt: Prompt): ResolvedPrompt {
  if (typeof prompt === "string") {
    if (prompt === "") throw new StreamgaugeError("INVALID_PROMPT", emptyPrompt);
    return prompt;
  }
  if (typeof prompt === "object" && prompt !== null) {
    if ("messages" in prompt) return resolveChat(prompt);
    if (typeof prompt.length === "number") return resolveIds(prompt);
  }
  throw new StreamgaugeError(
    "INVALID_PROMPT",
    `The prompt is ${show(prompt)}; it must be a string, an array of token ids, or an object ` +
      `with "messages".`,
  );
}

function resolveIds(prompt: ArrayLike<number>): readonly number[] {
  if (prompt.length === 0) throw new StreamgaugeError("INVALID_PROMPT", emptyPrompt);
  const ids = Array.from(prompt);
  for (const [position, id] of ids.entries()) {
    if (isTokenId(id)) continue;
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `The prompt's id at position ${position} is ${show(id)}; ids are integers ≥ 0.`,
    );
  }
  return ids;
}

function resolveChat(prompt: ChatPrompt): ChatPrompt {
  refuseOthers(prompt, ["messages"], "The prompt");
  const { messages } = prompt;
  if (!Array.isArray(messages)) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `The prompt's "messages" is ${show(messages)}; it must be an array of { role, content }.`,
    );
  }
  if (messages.length === 0) throw new StreamgaugeError("INVALID_PROMPT", emptyPrompt);
  return { messages: messages.map(resolveMessage) };
}

function resolveMessage(message: unknown, position: number): ChatMessage {
  const name = `Message ${position} of the prompt`;
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `${name} is ${show(message)}; it must be { role, content }.`,
    );
  }
  refuseOthers(message, ["role", "content"], name);
  const { role, content } = message as { readonly role?: unknown; readonly content?: unknown };
  if (typeof role !== "string" || role === "") {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `${name} has the role ${show(role)}; it must be a word, such as "user".`,
    );
  }
  if (typeof content !== "string") {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `${name} has the content ${show(content)}; it must be a string.`,
    );
  }
  return { role, content };
}

/** What nobody would look at must not be there: tools, images, names. */
function refuseOthers(object: object, known: readonly string[], name: string): void {
  const other = Object.keys(object).find((key) => !known.includes(key));
  if (other === undefined) return;
  throw new StreamgaugeError(
    "INVALID_PROMPT",
    `${name} has the unknown field "${other}": leave it out. Known fields: ${known.join(", ")}.`,
  );
}

const emptyPrompt =
  "The prompt is empty: a model needs at least one token to continue. " +
  "Give some text, or the model's beginning-of-sequence id.";
