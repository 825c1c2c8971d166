import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, readJsonObject, type JsonObject } from "../../../json-object.js";
import { byteLevelSpelling } from "../../../text/byte-level.js";
import { objectIn, wrongField } from "../config-fields.js";
import type { DecoderShape } from "../decoder-shape.js";
import type { GgufMetadata } from "./gguf-header.js";

/** Numbers of `enum llama_token_type`. */
const tokenTypes = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

const byteLevel = { type: "ByteLevel", use_regex: true };
const llama3Words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Ways to split a text into words, by llama.cpp's names for them. */
const splits: readonly (readonly [name: string, steps: readonly object[]])[] = [
  ["gpt-2", [byteLevel]],
  ["smollm", [{ type: "Digits", individual_digits: true }, byteLevel]],
  [
    "llama-bpe",
    [
      { type: "Split", pattern: { Regex: llama3Words }, behavior: "Isolated", invert: false },
      { type: "ByteLevel", use_regex: false },
    ],
  ],
];

/**
 * A checkpoint's tokenizer in llama.cpp's terms; where there is none, placeholders.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for a tokenizer that is not byte-level BPE as
 *   llama.cpp has it, `MODEL_CORRUPT` for a damaged one
 */
export async function readGgufTokenizer(
  folder: string,
  { vocabularySize }: Pick<DecoderShape, "vocabularySize">,
): Promise<GgufMetadata> {
  const file = join(folder, "tokenizer.json");
  const tokenizer = await readJsonObject(file);
  if (tokenizer === undefined) return placeholderTokenizer(vocabularySize);
  const model = objectIn(tokenizer, "model");
  if (model["type"] !== "BPE" || model["byte_fallback"] === true) {
    throw unsupported(file, "it is not byte-level BPE");
  }
  if ((tokenizer["normalizer"] ?? null) !== null) throw unsupported(file, "it has a normalizer");
  const split = splitOf(tokenizer);
  if (split === undefined) throw unsupported(file, "llama.cpp has no name for its pre_tokenizer");
  const { tokens, types } = tokensOf(tokenizer, vocabularySize, file);
  const config = (await readJsonObject(join(folder, "config.json"))) ?? {};
  const template = (await readJsonObject(join(folder, "tokenizer_config.json")))?.["chat_template"];
  const bos = idsIn(config, "bos_token_id")[0];
  const [eos, eot] = idsIn(config, "eos_token_id");
  const ids = { bos, eos, eot };
  return [
    ...vocabulary({ split, tokens, types, merges: mergesOf(model, file) }),
    ...Object.entries(ids).flatMap(([name, id]) =>
      id === undefined
        ? []
        : [[`tokenizer.ggml.${name}_token_id`, { type: "uint32", value: id }] as const],
    ),
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: beginsWith(tokenizer, bos) }],
    ...(typeof template === "string"
      ? [["tokenizer.chat_template", { type: "string", value: template }] as const]
      : []),
  ];
}

/**
 * For a model that is fed ids. llama.cpp wants a tokenizer all the same: this one knows bytes and
 * an end of the text, and its other tokens stand for nothing.
 */
export function placeholderTokenizer(vocabularySize: number): GgufMetadata {
  const tokens = placeholders(vocabularySize);
  const types: number[] = tokens.map(() => tokenTypes.unused);
  const put = (id: number, token: string, type: number): void => {
    tokens[id] = token;
    types[id] = type;
  };
  const end = vocabularySize - 1;
  for (let byte = 0; byte < Math.min(256, end); byte++) {
    put(byte, byteLevelSpelling(byte), tokenTypes.normal);
  }
  put(end, "<|endoftext|>", tokenTypes.control);
  return [
    ...vocabulary({ split: "gpt-2", tokens, types, merges: [] }),
    ["tokenizer.ggml.eos_token_id", { type: "uint32", value: end }],
  ];
}

function placeholders(vocabularySize: number): string[] {
  return Array.from({ length: vocabularySize }, (_, id) => `[PAD${id}]`);
}

function vocabulary(known: {
  readonly split: string;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges: readonly string[];
}): GgufMetadata {
  return [
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: known.split }],
    ["tokenizer.ggml.tokens", { type: "strings", values: known.tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", values: known.types }],
    ["tokenizer.ggml.merges", { type: "strings", values: known.merges }],
  ];
}

function splitOf({ pre_tokenizer: given }: JsonObject): string | undefined {
  if (!isJsonObject(given)) return undefined;
  const steps: unknown = given["type"] === "Sequence" ? given["pretokenizers"] : [given];
  if (!Array.isArray(steps)) return undefined;
  const plain = steps.map((step: unknown) => {
    if (!isJsonObject(step) || step["type"] !== "ByteLevel") return step;
    // Where words begin makes no difference to the ids.
    const { trim_offsets: _trim, add_prefix_space: prefix, ...rest } = step;
    return prefix === true ? undefined : { use_regex: true, ...rest };
  });
  return splits.find(([, known]) => isDeepStrictEqual(known, plain))?.[0];
}

function tokensOf(
  tokenizer: JsonObject,
  vocabularySize: number,
  file: string,
): { readonly tokens: readonly string[]; readonly types: readonly number[] } {
  // Ids that the model has and nobody writes.
  const tokens = placeholders(vocabularySize);
  const types: number[] = tokens.map(() => tokenTypes.unused);
  const put = (token: unknown, id: unknown, type: number): void => {
    if (typeof token !== "string" || typeof id !== "number" || !(id in tokens)) {
      throw wrongField(file, `the id of ${JSON.stringify(token)}`, id, `below ${vocabularySize}`);
    }
    tokens[id] = token;
    types[id] = type;
  };
  const { vocab } = objectIn(tokenizer, "model");
  if (!isJsonObject(vocab)) throw wrongField(file, "model.vocab", vocab, "an object");
  for (const [token, id] of Object.entries(vocab)) put(token, id, tokenTypes.normal);
  const added: unknown = tokenizer["added_tokens"] ?? [];
  if (!Array.isArray(added)) throw wrongField(file, "added_tokens", added, "a list");
  for (const entry of added as readonly unknown[]) {
    const { content, id, special } = isJsonObject(entry) ? entry : {};
    put(content, id, special === true ? tokenTypes.control : tokenTypes.userDefined);
  }
  return { tokens, types };
}

/** Pairs; older files have them in one string. */
function mergesOf({ merges }: JsonObject, file: string): readonly string[] {
  if (!Array.isArray(merges)) throw wrongField(file, "model.merges", merges, "a list");
  return merges.map((merge: unknown) => {
    if (typeof merge === "string") return merge;
    if (Array.isArray(merge) && merge.length === 2) return merge.join(" ");
    throw wrongField(file, "a merge", merge, "a pair");
  });
}

/** Whether the tokenizer puts this id in front of every text. */
function beginsWith({ post_processor: given }: JsonObject, bos: number | undefined): boolean {
  if (!isJsonObject(given) || bos === undefined) return false;
  if (given["type"] === "Sequence") {
    const { processors } = given;
    return (
      Array.isArray(processors) &&
      processors.some((each: unknown) => beginsWith({ post_processor: each }, bos))
    );
  }
  const { single } = given;
  const first: unknown = Array.isArray(single) ? single[0] : undefined;
  const { id } = isJsonObject(first) ? objectIn(first, "SpecialToken") : {};
  const { ids } = objectIn(objectIn(given, "special_tokens"), String(id));
  return Array.isArray(ids) && ids[0] === bos;
}

function idsIn(config: JsonObject, field: string): number[] {
  return [config[field]].flat().filter((id): id is number => Number.isSafeInteger(id));
}

function unsupported(file: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file}: ${what}, and is not written as GGUF. Take the file away for a model that is fed ids, ` +
      `or convert the checkpoint with llama.cpp's own script.`,
  );
}
