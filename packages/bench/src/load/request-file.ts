import { extname } from "node:path";
import { invalidOption, messageOf, resolvePrompt, type Prompt } from "@streamgauge/core";
import { mapLines, oneOfNames, optionalCount, parseObject, readText } from "./file-lines.js";
import type { ListedRequest } from "./request-mix.js";

/** Names under which files have the length of an answer. */
const outputNames = ["output_tokens", "output_length", "max_tokens"] as const;

/** Characters of a token of English text, about; the server's own count is in the results. */
const charactersPerToken = 4;

/**
 * Reads a list of requests.
 *
 * - `.jsonl`, `.ndjson`: a line is `{"prompt": …}` or `{"messages": …}`, with `output_tokens` if the
 *   length of the answer is known, or a ShareGPT-like `{"conversations": …}`.
 * - `.json`: an array of the same objects.
 * - Any other file: each line is a prompt.
 *
 * Of a ShareGPT-like conversation the first message is the prompt, and the length of the second, at
 * four characters a token, that of the answer.
 *
 * @throws StreamgaugeError `INVALID_OPTION` naming the file, and the line or the place
 */
export async function readRequests(path: string): Promise<readonly ListedRequest[]> {
  const text = await readText(path, "file of prompts");
  const requests = parse(text, path);
  if (requests.length === 0) {
    throw invalidOption(`${path} has no prompts: write one on each line.`);
  }
  return requests;
}

function parse(text: string, path: string): readonly ListedRequest[] {
  switch (extname(path).toLowerCase()) {
    case ".jsonl":
    case ".ndjson":
      return mapLines(text, path, (line) => requestOf(parseObject(line)));
    case ".json":
      return parseArray(text, path);
    default:
      return mapLines(text, path, (prompt) => ({ prompt }));
  }
}

function parseArray(text: string, path: string): readonly ListedRequest[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalidOption(`${path} is no JSON: ${messageOf(cause)}.`);
  }
  if (!Array.isArray(json)) {
    throw invalidOption(`${path} is no array: a .json file of prompts is an array of objects.`);
  }
  return json.map((entry: unknown, index) => {
    try {
      return requestOf(parseObject(JSON.stringify(entry)));
    } catch (cause) {
      throw invalidOption(`${path}, entry ${index}: ${messageOf(cause)}`);
    }
  });
}

function requestOf(entry: Readonly<Record<string, unknown>>): ListedRequest {
  if (entry["conversations"] !== undefined) return conversationOf(entry["conversations"]);
  const { prompt, messages } = entry;
  const given: unknown = prompt ?? (messages === undefined ? undefined : { messages });
  if (given === undefined || (prompt !== undefined && messages !== undefined)) {
    throw new TypeError('It must have one of "prompt", "messages" and "conversations".');
  }
  requireKnown(entry);
  const outputTokens = optionalCount(oneOfNames(entry, outputNames), "The length of the answer");
  return {
    prompt: resolvePrompt(given as Prompt),
    ...(outputTokens !== undefined && { outputTokens }),
  };
}

/** A field that is passed over can be an option that somebody counts on. */
function requireKnown(entry: Readonly<Record<string, unknown>>): void {
  const known: readonly string[] = ["prompt", "messages", ...outputNames];
  const unknown = Object.keys(entry).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(`There is no field "${unknown}". Fields: ${known.join(", ")}.`);
}

function conversationOf(conversations: unknown): ListedRequest {
  const [first, second] = Array.isArray(conversations) ? conversations.map(textOf) : [];
  if (first === undefined || first === "") {
    throw new TypeError('"conversations" must be an array of { from, value }, of one or more.');
  }
  if (second === undefined || second === "") return { prompt: first };
  return { prompt: first, outputTokens: Math.ceil(second.length / charactersPerToken) };
}

function textOf(message: unknown): string | undefined {
  const { value, content } = Object(message) as Record<string, unknown>;
  const text = value ?? content;
  return typeof text === "string" ? text : undefined;
}
