import {
  StreamgaugeError,
  messageOf,
  type ChatMessage,
  type ResolvedPrompt,
} from "@streamgauge/core";
import { isChat } from "./prompt-kinds.js";

/** A loaded model of transformers.js, such as `AutoModelForCausalLM.from_pretrained()` gives. */
export interface TransformersModel {
  generate(options: Record<string, unknown>): Promise<unknown>;
  readonly config: unknown;
  readonly generation_config?: unknown;
}

/** A loaded tokenizer of transformers.js, such as `AutoTokenizer.from_pretrained()` gives. */
export interface TransformersTokenizer {
  (text: string): unknown;
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
  /** Without it, conversations are refused. */
  apply_chat_template?(
    messages: { role: string; content: string }[],
    options: { add_generation_prompt: boolean },
  ): unknown;
}

/** What the model's files say about it; Infinity for a limit that they do not give. */
export interface Settings {
  readonly encoderDecoder: boolean;
  readonly eosTokenIds: ReadonlySet<number>;
  readonly contextLength: number;
  readonly vocabularySize: number;
}

/** Reads a loaded model's settings. */
export function readSettings(model: TransformersModel): Settings {
  const config = asObject(model.config);
  // As transformers.js merges them: the generation config wins.
  const generation = { ...config, ...asObject(model.generation_config) };
  const eos = generation["eos_token_id"];
  return {
    encoderDecoder: config["is_encoder_decoder"] === true,
    eosTokenIds: new Set((Array.isArray(eos) ? eos : [eos]).filter(isNumber)),
    contextLength: numberOr(config["max_position_embeddings"], Infinity),
    vocabularySize: numberOr(config["vocab_size"], Infinity),
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function numberOr(value: unknown, otherwise: number): number {
  return isNumber(value) ? value : otherwise;
}

/** The part of transformers.js' `Tensor` that is used here. */
export interface Tensor {
  readonly dims: readonly number[];
}

/** What `generate()` takes of a tokenizer's answer. */
export interface ModelInputs {
  readonly input_ids: Tensor;
}

type TensorConstructor = new (
  type: "int64",
  data: BigInt64Array,
  dims: readonly number[],
) => Tensor;

/** All that `generate()` takes of it, an attention mask among it. */
type Encoded = ModelInputs & Readonly<Record<string, unknown>>;

/**
 * A prompt as the model's input.
 *
 * @throws StreamgaugeError `INVALID_PROMPT` for a conversation that the tokenizer's template
 *   does not take, `ENGINE_FAILED` for a tokenizer that gives no tensor of ids
 */
export function encode(tokenizer: TransformersTokenizer, prompt: ResolvedPrompt): Encoded {
  if (isChat(prompt)) return requireIds(encodeChat(tokenizer, prompt.messages));
  // The tokenizer's answer is the model's input, attention mask included.
  const encoded = requireIds(tokenizer(typeof prompt === "string" ? prompt : "a"));
  if (typeof prompt === "string") return encoded;
  // The tokenizer's tensors are of the class that the model takes; importing it
  // could give that of another copy of the package.
  const TensorOfTokenizer = encoded.input_ids.constructor as TensorConstructor;
  const shape = [1, prompt.length];
  return {
    input_ids: new TensorOfTokenizer("int64", BigInt64Array.from(prompt, BigInt), shape),
    attention_mask: new TensorOfTokenizer(
      "int64",
      new BigInt64Array(prompt.length).fill(1n),
      shape,
    ),
  };
}

function requireIds(encoded: unknown): Encoded {
  if (Array.isArray(asObject(asObject(encoded)["input_ids"])["dims"])) return encoded as Encoded;
  throw new StreamgaugeError(
    "ENGINE_FAILED",
    "The tokenizer's answer has no tensor `input_ids`: load it with AutoTokenizer, and let it " +
      "return tensors.",
  );
}

function encodeChat(tokenizer: TransformersTokenizer, messages: readonly ChatMessage[]): unknown {
  try {
    if (tokenizer.apply_chat_template === undefined) throw new Error("it has none");
    const mutable = messages.map((message) => ({ ...message }));
    return tokenizer.apply_chat_template(mutable, { add_generation_prompt: true });
  } catch (cause) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `The tokenizer's chat template does not take this conversation (${messageOf(cause)}): change ` +
        `it, or give text or token ids.`,
      { cause },
    );
  }
}

/** The text of one or more ids, special ones left out. */
export function decode(tokenizer: TransformersTokenizer, ids: number[]): string {
  // Cleaning up would take spaces away that were given out with earlier tokens.
  return tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
}

/** @throws StreamgaugeError `INVALID_PROMPT` for no tokens, `PROMPT_TOO_LONG` */
export function checkPromptLength(tokens: number, contextLength: number): void {
  if (tokens === 0) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      "The prompt has no tokens after tokenising: give text the tokenizer keeps, or token ids.",
    );
  }
  if (tokens >= contextLength) {
    throw new StreamgaugeError(
      "PROMPT_TOO_LONG",
      `The prompt has ${tokens} tokens, and the model's context is ${contextLength}, which must ` +
        `hold at least one more: shorten the prompt to ${contextLength - 1}.`,
    );
  }
}

/** @throws StreamgaugeError when one of the ids is not in the vocabulary */
export function checkIds(
  name: string,
  ids: readonly number[],
  code: "INVALID_CONFIG" | "INVALID_PROMPT",
  { vocabularySize }: Settings,
): void {
  const position = ids.findIndex((id) => id >= vocabularySize);
  if (position === -1) return;
  throw new StreamgaugeError(
    code,
    `Id ${ids[position]} at position ${position} of ${name} is not in the vocabulary: ` +
      `this model's ids go from 0 to ${vocabularySize - 1}.`,
  );
}
