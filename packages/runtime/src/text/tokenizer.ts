import { join } from "node:path";

import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { isJsonObject, readJsonObject } from "../json-object.js";
import type { ContentMarks, SpecialSpellings } from "./content-marks.js";
import { tryPatterns } from "./pattern-trial.js";
import { PlainEncoder, type Encodable } from "./plain-encoder.js";
import { checkTokenIds } from "./token-ids.js";

/** Text to token ids and back, as a model folder's `tokenizer.json` says. Any thread; stateless. */
export interface Tokenizer {
  /** One more than the largest id, added tokens included. The model's own vocabulary may be padded beyond it. */
  readonly vocabularySize: number;
  /** Ids of tokens that control and are not text, such as the end of a sequence. */
  readonly specialIds: ReadonlySet<number>;
  /** Ids of tokens outside the learnt vocabulary, whose spelling is their text; special ones included. */
  readonly addedIds: ReadonlySet<number>;
  /** Whether a token's spelling stands for bytes, one character for each. */
  readonly byteLevel: boolean;
  /** How its special tokens are spelt, to mark those of a conversation that are plain text. */
  readonly specialSpellings: SpecialSpellings;
  /** Ids of a text, with the special tokens the tokenizer puts around it. */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Text of ids. An id without a token contributes nothing. Spaces are never
   * "cleaned up" afterwards, because a stream could not take them back.
   */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** A token as the vocabulary spells it; `undefined` for an id without one. */
  spelling(id: number): string | undefined;
}

export interface EncodeOptions {
  /** Whether special tokens are put around the text. Default true. */
  readonly addSpecialTokens?: boolean;
  /**
   * Which spellings of special tokens in the text are plain text: all of them, or those
   * that these marks say, which are left out. Default: none.
   */
  readonly plain?: "all" | ContentMarks;
}

export interface DecodeOptions {
  /** Whether special tokens are left out of the text. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/**
 * Loads `tokenizer.json`, and `tokenizer_config.json` where there is one.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND` without `tokenizer.json`,
 *   `MODEL_CORRUPT` when a file is damaged, `MODEL_UNSUPPORTED` for a kind of
 *   tokenizer that is not implemented, or one whose pattern backtracks without end
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, "tokenizer.json");
  const definition = await readJsonObject(path);
  if (definition === undefined) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `${path} does not exist. Give a model folder with a tokenizer, or work with token ids.`,
    );
  }
  const config = (await readJsonObject(join(folder, "tokenizer_config.json"))) ?? {};
  for (const field of ["model", "added_tokens"]) {
    if (typeof definition[field] === "object" && definition[field] !== null) continue;
    throw corrupt(path, `its field ${field} is missing`);
  }
  checkTokenIds(definition, path);
  const decoder = onlyStage(definition["decoder"]);
  checkDecoder(decoder, path);
  const whole = { ...definition, decoder };
  const library = construct(whole, config, path);
  tryPatterns(definition, path);

  const ids = [...library.get_vocab(true).values()];
  const added = library.get_added_tokens_decoder();
  const special = [...added.values()].filter((token) => token.special).map((token) => token.id);
  const additional = config["additional_special_tokens"];
  for (const token of Array.isArray(additional) ? (additional as unknown[]) : []) {
    const id = typeof token === "string" ? library.token_to_id(token) : undefined;
    if (id !== undefined) special.push(id);
  }
  const specialIds = new Set(special);
  const plainEncoder = new PlainEncoder(library, whole, specialIds, (aliased) =>
    construct(aliased, config, path),
  );

  function encodableOf(text: string, plain: EncodeOptions["plain"]): Encodable {
    if (plain === undefined) return { library, text };
    return plain === "all" ? plainEncoder.read(text) : plainEncoder.readMarked(text, plain);
  }

  return {
    vocabularySize: ids.reduce((size, id) => Math.max(size, id + 1), 0),
    specialIds,
    addedIds: new Set(added.keys()),
    byteLevel: stageType(decoder) === "ByteLevel",
    get specialSpellings() {
      return plainEncoder.spellings;
    },
    encode: (text, { addSpecialTokens = true, plain } = {}) =>
      encode(encodableOf(text, plain), addSpecialTokens, path),
    decode(wanted, { skipSpecialTokens = true } = {}) {
      // The empty token is left out too: decoders disagree about what it separates.
      const known = wanted.filter(
        (id) => library.id_to_token(id) && !(skipSpecialTokens && specialIds.has(id)),
      );
      if (known.length === 0) return "";
      return library.decode(known, { clean_up_tokenization_spaces: false });
    },
    spelling: (id) => library.id_to_token(id) || undefined,
  };
}

/** @throws StreamgaugeError `MODEL_UNSUPPORTED` where the library fails, or knows no ids */
function encode({ library, text }: Encodable, addSpecialTokens: boolean, path: string): number[] {
  let reason = "a part of the text has no id";
  let cause: unknown;
  try {
    const { ids } = library.encode(text, { add_special_tokens: addSpecialTokens });
    if (ids.every((id: unknown) => Number.isInteger(id))) return ids;
  } catch (error) {
    reason = messageOf(error);
    cause = error;
  }
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${path} cannot be used: ${reason}. Give token ids, or use a model with another tokenizer.`,
    { cause },
  );
}

/** A sequence of one decoder is that decoder; the library knows added tokens only outside sequences. */
function onlyStage(decoder: unknown): unknown {
  const stages = stagesOf(decoder);
  return stageType(decoder) === "Sequence" && stages.length === 1 ? stages[0] : decoder;
}

/** Some decoders need the whole sequence at once, so their text cannot be streamed. */
function checkDecoder(decoder: unknown, path: string): void {
  const nested = stageType(decoder) === "Sequence" ? stagesOf(decoder).map(stageType) : [];
  const unsupported =
    stageType(decoder) === "CTC" || nested.includes("CTC")
      ? "CTC"
      : nested.find((type) => type === "ByteLevel");
  if (unsupported === undefined) return;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${path}: decoder ${unsupported}${nested.length > 0 ? " inside a Sequence" : ""} cannot be streamed. ` +
      `Use a model with a ByteLevel, ByteFallback, Metaspace or WordPiece decoder.`,
  );
}

function stageType(decoder: unknown): unknown {
  return isJsonObject(decoder) ? decoder["type"] : undefined;
}

function stagesOf(decoder: unknown): readonly unknown[] {
  const stages = isJsonObject(decoder) ? decoder["decoders"] : undefined;
  return Array.isArray(stages) ? (stages as unknown[]) : [];
}

function construct(definition: object, config: object, path: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(definition, config);
  } catch (cause) {
    const reason = messageOf(cause);
    // The library reports a component it does not know by this word.
    if (!/unknown|unsupported/i.test(reason)) throw corrupt(path, reason, cause);
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${path}: ${reason}. Use a model with another tokenizer.`,
      { cause },
    );
  }
}

function corrupt(path: string, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${path} is damaged: ${what}. Build or download the model again.`,
    { cause },
  );
}
