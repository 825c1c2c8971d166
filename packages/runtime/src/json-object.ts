import { readFile } from "node:fs/promises";
import { StreamgaugeError, messageOf } from "@streamgauge/core";

/** What a JSON object parses to; its fields are anybody's guess until looked at. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param file the name the user knows the text by, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` when the text is not a JSON object
 */
export function parseJsonObject(text: string, file: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, `it is not JSON (${messageOf(cause)})`, cause);
  }
  if (!isJsonObject(value)) throw damaged(file, "it does not hold a JSON object");
  return value;
}

/**
 * Reads a JSON file; undefined when there is none.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` when it cannot be read or is not a JSON object
 */
export async function readJsonObject(file: string): Promise<JsonObject | undefined> {
  const text = await readTextIfPresent(file);
  return text === undefined ? undefined : parseJsonObject(text, file);
}

/**
 * Reads a file of text; undefined when there is none.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` when it cannot be read
 */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw damaged(file, `it cannot be read (${messageOf(cause)})`, cause);
  }
}

function damaged(file: string, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} is damaged: ${what}. Build, copy or download it again.`,
    { cause },
  );
}
