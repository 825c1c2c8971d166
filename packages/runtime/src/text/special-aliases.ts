import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject } from "../json-object.js";

/** A special token, as the tokenizer's definition has it. */
export interface SpecialToken {
  readonly id: number;
  readonly content: string;
}

/** Other spellings for special tokens. Nobody can guess them, so that no text has one. */
export function createAliases(tokens: readonly SpecialToken[]): ReadonlyMap<string, string> {
  const secret = randomUUID().replaceAll("-", "");
  return new Map(tokens.map(({ id, content }) => [content, `special${secret}x${id}x`]));
}

/**
 * A `tokenizer.json` whose special tokens have their aliases for spellings, with the same
 * ids: to that tokenizer, their own spellings are text like any other.
 */
export function aliasDefinition(
  definition: JsonObject,
  aliases: ReadonlyMap<string, string>,
): JsonObject {
  const { added_tokens: added, model, post_processor: postProcessor } = definition;
  return {
    ...definition,
    added_tokens: (added as readonly JsonObject[]).map((token) => ({
      ...token,
      content: renamed(token["content"], aliases),
    })),
    model: isJsonObject(model) ? aliasModel(model, aliases) : model,
    post_processor: renamed(postProcessor, aliases),
  };
}

function aliasModel(model: JsonObject, aliases: ReadonlyMap<string, string>): JsonObject {
  const { vocab, merges, unk_token: unknown } = model;
  return {
    ...model,
    ...(isJsonObject(vocab) ? { vocab: renamedKeys(vocab, aliases) } : {}),
    ...(Array.isArray(vocab) ? { vocab: vocab.map((entry) => aliasPiece(entry, aliases)) } : {}),
    // A merge that makes a special token's spelling would make the token.
    ...(Array.isArray(merges)
      ? { merges: merges.filter((merge) => !aliases.has(mergedText(merge))) }
      : {}),
    ...(unknown === undefined ? {} : { unk_token: renamed(unknown, aliases) }),
  };
}

/** A vocabulary that is a list has pairs of a piece and its score. */
function aliasPiece(entry: unknown, aliases: ReadonlyMap<string, string>): unknown {
  if (!Array.isArray(entry)) return renamed(entry, aliases);
  const [piece, ...others] = entry as unknown[];
  return [renamed(piece, aliases), ...others];
}

function mergedText(merge: unknown): string {
  if (typeof merge === "string") return merge.replace(" ", "");
  return Array.isArray(merge) ? merge.join("") : "";
}

/** A value of JSON in which each text, and each key, that is a special token is its alias. */
function renamed(value: unknown, aliases: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return aliases.get(value) ?? value;
  if (Array.isArray(value)) return value.map((element: unknown) => renamed(element, aliases));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, field]) => [key, renamed(field, aliases)]);
  return renamedKeys(Object.fromEntries(entries) as JsonObject, aliases);
}

function renamedKeys(object: JsonObject, aliases: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [aliases.get(key) ?? key, value]),
  );
}
