import { basename, join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, readJsonObject, type JsonObject } from "../json-object.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";

/** What `config.json` and `generation_config.json` say that decoding needs. */
export interface ModelSettings {
  /** `model_type`, for instance "llama". */
  readonly architecture: string;
  readonly vocabularySize: number;
  readonly contextLength: number;
  /** Which graph its makers mean when nobody says; undefined when they do not say. */
  readonly dtype: ModelDtype | undefined;
  readonly eosTokenIds: ReadonlySet<number>;
  /** For graphs that do not say their own. */
  readonly cacheSizes: CacheSizes;
  /** How the model's makers sample from it; greedy when they do not say. */
  readonly recommendedSampling: RecommendedSampling;
}

/** Sizes of a key/value cache. */
export interface CacheSizes {
  readonly keyValueHeads: number | undefined;
  readonly headSize: number | undefined;
}

export interface RecommendedSampling {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly repetitionPenalty?: number;
  readonly noRepeatNgramSize?: number;
}

/**
 * @throws StreamgaugeError `MODEL_NOT_FOUND` without a `config.json`, `MODEL_CORRUPT` when a
 *   file does not parse or a field is missing
 */
export async function readModelSettings(folder: string): Promise<ModelSettings> {
  const file = join(folder, "config.json");
  const config = await readJsonObject(file);
  if (config === undefined) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `There is no ${file}. A model folder needs config.json, tokenizer.json and onnx/model.onnx, ` +
        `or genai_config.json and what that names.`,
    );
  }
  const generation = (await readJsonObject(join(folder, "generation_config.json"))) ?? {};
  return {
    architecture: typeof config["model_type"] === "string" ? config["model_type"] : "unknown",
    vocabularySize: readCount(config, "vocab_size", file),
    contextLength: readCount(config, "max_position_embeddings", file),
    dtype: readDtype(config),
    eosTokenIds: readIds(generation["eos_token_id"] ?? config["eos_token_id"]),
    cacheSizes: readCacheSizes(config),
    recommendedSampling: readSampling(generation),
  };
}

/** As Hugging Face's `config.json` says them, or the decoder of a `genai_config.json`. */
export function readCacheSizes(config: JsonObject): CacheSizes {
  const count = (...fields: readonly string[]): number | undefined =>
    fields.map((field) => config[field]).find((value): value is number => isSize(value));
  const heads = count("num_attention_heads", "n_head");
  const width = count("hidden_size", "n_embd");
  const equal = width === undefined || heads === undefined ? undefined : width / heads;
  return {
    keyValueHeads: count("num_key_value_heads", "num_kv_heads") ?? heads,
    headSize: count("head_dim", "head_size") ?? (isSize(equal) ? equal : undefined),
  };
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}

/** @throws StreamgaugeError `MODEL_CORRUPT` for what is not a positive integer */
export function readCount(config: JsonObject, field: string, file: string): number {
  const value = config[field];
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} has no usable "${field}" (a positive integer): take ${basename(file)} from where the ` +
      `model comes from.`,
  );
}

/** transformers.js's own setting, which may also be a table for devices or files. */
function readDtype(config: JsonObject): ModelDtype | undefined {
  const settings = config["transformers.js_config"];
  const dtype = isJsonObject(settings) ? settings["dtype"] : undefined;
  return modelDtypes.find((known) => known === dtype);
}

/** One id, several, or none. */
export function readIds(value: unknown): ReadonlySet<number> {
  const ids = Array.isArray(value) ? value : [value];
  return new Set(ids.filter((id): id is number => Number.isInteger(id)));
}

/** What `generation_config.json` says, or the `search` of a `genai_config.json`. */
export function readSampling(generation: JsonObject): RecommendedSampling {
  // These work on greedy choice too; the others need `do_sample`.
  const always = {
    ...readOption("repetitionPenalty", generation["repetition_penalty"], (v) => v > 0 && v !== 1),
    ...readOption("noRepeatNgramSize", generation["no_repeat_ngram_size"], isCount),
  };
  const { do_sample: draws, temperature } = generation;
  if (draws !== true) return { temperature: 0, ...always };
  const isPart = (value: number): boolean => value > 0 && value < 1;
  return {
    temperature: typeof temperature === "number" ? temperature : 1,
    ...readOption("topK", generation["top_k"], isCount),
    ...readOption("topP", generation["top_p"], isPart),
    ...readOption("minP", generation["min_p"], isPart),
    ...readOption("typicalP", generation["typical_p"], isPart),
    ...always,
  };
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

/** The option where the file gives it a value that has an effect. */
function readOption<Name extends keyof RecommendedSampling>(
  name: Name,
  value: unknown,
  hasEffect: (value: number) => boolean,
): Partial<Record<Name, number>> {
  if (typeof value !== "number" || !hasEffect(value)) return {};
  return { [name]: value } as Record<Name, number>;
}
