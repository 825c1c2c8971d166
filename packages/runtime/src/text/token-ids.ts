import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, type JsonObject } from "../json-object.js";
import { largestSize } from "../size-limit.js";

/**
 * Looks at the ids that a `tokenizer.json` gives its tokens, before tables as long as the
 * largest are made of them.
 *
 * @param file its name, for the error
 * @throws StreamgaugeError `MODEL_CORRUPT` for an id that is no integer from 0 to below
 *   {@link largestSize}, with its token's name
 */
export function checkTokenIds(definition: JsonObject, file: string): void {
  const { added_tokens: added, model } = definition;
  for (const token of Array.isArray(added) ? (added as unknown[]) : []) {
    const { id, content } = isJsonObject(token) ? token : {};
    if (typeof content !== "string") throw damaged(file, "an added token has no content");
    checkId(id, content, file);
  }
  // Some kinds of tokenizer have a list, in which the place is the id.
  const vocabulary = isJsonObject(model) ? model["vocab"] : undefined;
  if (Array.isArray(vocabulary)) return;
  if (!isJsonObject(vocabulary)) throw damaged(file, "its model has no vocab");
  for (const [content, id] of Object.entries(vocabulary)) {
    // Others have several vocabularies.
    if (!isJsonObject(id)) checkId(id, content, file);
  }
}

function checkId(id: unknown, content: string, file: string): void {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < largestSize) return;
  throw damaged(
    file,
    `its token ${shown(content)} has the id ${shown(id)}, and ids are ` +
      `integers from 0 to ${largestSize - 1}`,
  );
}

/** As JSON, because what an object converts to is its own choice. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 40);
}

function damaged(file: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} is damaged: ${what}. Build or download the model again.`,
  );
}
