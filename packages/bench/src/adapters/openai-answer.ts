import { StreamgaugeError } from "@streamgauge/core";
import { asObject, isSaid, nonEmpty, parseJson } from "./json-values.js";
import { isFailure, messageIn, quote, reportedError } from "./openai-failure.js";
import { kindOf, textOfContent, textOfMessage, type RefuseShape } from "./openai-text.js";

/** What a response, or one chunk of a streamed one, says; without what nobody asked for. */
export interface Answer {
  /** Reasoning, content and refusal; empty for a chunk that is not a token. */
  readonly text: string;
  /** Whether there is a choice at all; a chunk with nothing but usage has none. */
  readonly hasChoice: boolean;
  /** Of the choice; undefined where the server does not number them. */
  readonly choiceIndex: number | undefined;
  /** As the server spells it; undefined while there is more to come. */
  readonly finishReason: string | undefined;
  readonly counts: TokenCounts | undefined;
}

/** The server's own count of tokens. */
export interface TokenCounts {
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
  /** Whether one of them came as `input_tokens` or `output_tokens`. */
  readonly renamed: boolean;
}

/**
 * Reads a response or a chunk, of either endpoint.
 *
 * @param url for messages
 * @throws StreamgaugeError `ENGINE_FAILED` for what is not a JSON object, for an
 *   error that a server sends after it has answered 200, and for shapes that may
 *   have text in them which would be lost
 */
export function parseAnswer(json: string, url: string): Answer {
  const parsed = parseJson(json);
  if (parsed === undefined) throw notJson(json, url);
  const answer = asObject(parsed);
  if (answer === undefined) {
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${url} sent JSON that is not an object: "${quote(json)}". ` +
        `See whether this is an OpenAI-compatible endpoint.`,
    );
  }
  const refuse: RefuseShape = (field, shape) => unknownShape(field, shape, url);
  if (isFailure(answer)) throw reportedError(json, url);
  const choice = onlyChoice(answer["choices"], refuse);
  if (isSaid(choice?.["error"])) throw reportedError(messageIn(choice ?? {}) ?? "", url);
  return {
    text: choice === undefined ? "" : textOfChoice(choice, refuse),
    hasChoice: choice !== undefined,
    choiceIndex: typeof choice?.["index"] === "number" ? choice["index"] : undefined,
    finishReason: finishReasonOf(choice?.["finish_reason"], refuse),
    counts: countsOf(asObject(answer["usage"])),
  };
}

function onlyChoice(
  choices: unknown,
  refuse: RefuseShape,
): Readonly<Record<string, unknown>> | undefined {
  if (choices === undefined || choices === null) return undefined;
  if (!Array.isArray(choices)) throw refuse("choices", kindOf(choices));
  if (choices.length > 1) throw refuse("choices", "more than one");
  const [choice] = choices as readonly unknown[];
  if (choice === undefined || choice === null) return undefined;
  const object = asObject(choice);
  if (object === undefined) throw refuse("choices[0]", kindOf(choice));
  return object;
}

/** The first place that has text: servers that fill in another one repeat themselves. */
function textOfChoice(choice: Readonly<Record<string, unknown>>, refuse: RefuseShape): string {
  return (
    textOfMessage(choice["delta"], "delta", refuse) ||
    textOfMessage(choice["message"], "message", refuse) ||
    textOfContent(choice["text"], "text", refuse)
  );
}

/** Ollama and SGLang have sent "" for null: ollama/ollama#4357, sgl-project/sglang#3912. */
function finishReasonOf(value: unknown, refuse: RefuseShape): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return nonEmpty(value);
  throw refuse("finish_reason", kindOf(value));
}

function countsOf(usage: Readonly<Record<string, unknown>> | undefined): TokenCounts | undefined {
  if (usage === undefined) return undefined;
  const prompt = asCount(usage["prompt_tokens"]);
  const completion = asCount(usage["completion_tokens"]);
  // Servers that have both names fill in zeros under one of them.
  const input = prompt ? undefined : asCount(usage["input_tokens"]);
  const output = completion ? undefined : asCount(usage["output_tokens"]);
  return {
    promptTokens: input ?? prompt,
    completionTokens: output ?? completion,
    renamed: Boolean(input) || Boolean(output),
  };
}

function asCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function notJson(text: string, url: string): StreamgaugeError {
  return new StreamgaugeError(
    "ENGINE_FAILED",
    `${url} sent what is not JSON: "${quote(text)}". ` +
      `See whether this is an OpenAI-compatible endpoint, and what proxies do to its answers.`,
  );
}

function unknownShape(field: string, shape: string, url: string): StreamgaugeError {
  return new StreamgaugeError(
    "ENGINE_FAILED",
    `${url} sent ${field} as ${shape}, which is not known to be text or thinking, so that a part ` +
      `of the completion could be lost: switch off the server's tools and other kinds of output, ` +
      `or use a server that sends text.`,
  );
}
