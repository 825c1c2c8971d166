import { readFile } from "node:fs/promises";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { hasFile } from "./regular-file.js";

/** What a JSON object parses to; its fields are anybody's guess until looked at. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param text may begin with a byte-order mark, as some editors write it
 * @param file the name the user knows the text by, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` when the text is not a JSON object
 */
export function parseJsonObject(text: string, file: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(text));
  } catch (cause) {
    throw damaged(file, `it is not JSON (${messageOf(cause)})`, cause);
  }
  if (!isJsonObject(value)) throw damaged(file, "it does not hold a JSON object");
  return value;
}

/**
 * Reads a JSON file; undefined when there is none.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` when it cannot be read or is not a JSON object,
 *   `MODEL_NOT_FOUND` for a link that leads nowhere
 */
export async function readJsonObject(file: string): Promise<JsonObject | undefined> {
  const text = await readTextIfPresent(file);
  return text === undefined ? undefined : parseJsonObject(text, file);
}

/**
 * Reads a file of text, without its byte-order mark; undefined when there is none.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` when it cannot be read, `MODEL_NOT_FOUND` for a
 *   link that leads nowhere
 */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  if (!(await hasFile(file))) return undefined;
  try {
    return withoutMark(await readFile(file, "utf8"));
  } catch (cause) {
    throw damaged(file, `it cannot be read (${messageOf(cause)})`, cause);
  }
}

function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function damaged(file: string, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} is damaged: ${what}. Build, copy or download it again.`,
    { cause },
  );
}
