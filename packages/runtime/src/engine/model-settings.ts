import { basename, join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, readJsonObject, type JsonObject } from "../json-object.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { largestSize } from "../size-limit.js";

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

/** Settings before the graph was looked at, which knows better how many ids it has. */
export type SaidSettings = Omit<ModelSettings, "vocabularySize"> & {
  readonly vocabularySize: number | undefined;
};

/**
 * @throws StreamgaugeError `MODEL_NOT_FOUND` without a `config.json`, `MODEL_CORRUPT` when a
 *   file does not parse or a field is no use, `MODEL_UNSUPPORTED` when it has no context length
 */
export async function readModelSettings(folder: string): Promise<SaidSettings> {
  const file = join(folder, "config.json");
  const config = await readJsonObject(file);
  if (config === undefined) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `There is no ${file}. A model folder needs config.json, tokenizer.json and onnx/model.onnx, ` +
        `or genai_config.json and what that names.`,
    );
  }
  const generationFile = join(folder, "generation_config.json");
  const generation = (await readJsonObject(generationFile)) ?? {};
  const sections = textSections(config);
  const eos = sections.map((section) => section["eos_token_id"]).find(isSaid);
  const generationEos = generation["eos_token_id"];
  return {
    architecture: typeof config["model_type"] === "string" ? config["model_type"] : "unknown",
    vocabularySize: readSize(sections, ["vocab_size"], file),
    contextLength: readContextLength(sections, file),
    dtype: readDtype(config),
    eosTokenIds: isSaid(generationEos)
      ? readIds(generationEos, "eos_token_id", generationFile)
      : readIds(eos, "eos_token_id", file),
    cacheSizes: readCacheSizes(sections),
    recommendedSampling: readSampling(generation),
  };
}

/** As Hugging Face's `config.json` says them, or the decoder of a `genai_config.json`. */
export function readCacheSizes(sections: readonly JsonObject[]): CacheSizes {
  const count = (...fields: readonly string[]): number | undefined =>
    sections
      .flatMap((section) => fields.map((field) => section[field]))
      .find((value): value is number => isSize(value));
  const heads = count("num_attention_heads", "n_head");
  const width = count("hidden_size", "n_embd");
  const equal = width === undefined || heads === undefined ? undefined : width / heads;
  return {
    keyValueHeads: count("num_key_value_heads", "num_kv_heads") ?? heads,
    headSize: count("head_dim", "head_size") ?? (isSize(equal) ? equal : undefined),
  };
}

/** Where a configuration of several parts has the one for text, by the names that are in use. */
const textSectionNames = [
  "text_config",
  "llm_config",
  "language_config",
  "thinker_config",
  "decoder",
  "generator",
];

/** The configuration, and what of its parts is about text: what is outside counts first. */
function textSections(config: JsonObject): JsonObject[] {
  const inside = (section: JsonObject): JsonObject[] =>
    textSectionNames.map((name) => section[name]).filter(isJsonObject);
  const parts = inside(config);
  return [config, ...parts, ...parts.flatMap(inside)];
}

/** What architectures call the most positions they were made for; the first counts. */
const contextLengthNames = [
  "max_position_embeddings",
  "n_positions",
  "n_ctx",
  "max_seq_len",
  "max_sequence_length",
  "max_seq_length",
  "max_context_length",
  "model_max_length",
  "seq_length",
  "seq_len",
];

/** What architectures were trained with whose configurations need not say it. */
const usualContextLengths: ReadonlyMap<unknown, number> = new Map([
  ["bloom", 2048],
  ["falcon", 2048],
]);

function readContextLength(sections: readonly JsonObject[], file: string): number {
  const said = readSize(sections, contextLengthNames, file);
  if (said !== undefined) return said;
  for (const section of sections) {
    const usual = usualContextLengths.get(section["model_type"]);
    if (usual !== undefined) return usual;
  }
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} does not say how many positions the model has. It is looked for as ` +
      `${contextLengthNames.join(", ")}: add "max_position_embeddings".`,
  );
}

/**
 * The first size that a section gives under one of these names; undefined where none does.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` for what is not a positive integer up to {@link largestSize}
 */
export function readSize(
  sections: readonly JsonObject[],
  names: readonly string[],
  file: string,
): number | undefined {
  for (const section of sections) {
    const name = names.find((known) => isSaid(section[known]));
    if (name === undefined) continue;
    const value = section[name];
    if (isSize(value)) return value;
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} has no usable "${name}" (an integer from 1 to ${largestSize}, not ` +
        `${shown(value)}): take ${basename(file)} from where the model comes from, or correct it.`,
    );
  }
  return undefined;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && isCount(value) && value <= largestSize;
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 40);
}

/** transformers.js's own setting, which may also be a table for devices or files. */
function readDtype(config: JsonObject): ModelDtype | undefined {
  const settings = config["transformers.js_config"];
  const dtype = isJsonObject(settings) ? settings["dtype"] : undefined;
  return modelDtypes.find((known) => known === dtype);
}

/**
 * One id, several, or none.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` for what is no id
 */
export function readIds(value: unknown, name: string, file: string): ReadonlySet<number> {
  const ids: unknown[] = Array.isArray(value) ? value : isSaid(value) ? [value] : [];
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && Number(id) >= 0;
  const strange = ids.find((id) => !isId(id));
  if (strange === undefined) return new Set(ids.filter(isId));
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} has no usable "${name}" (a token id, or a list of them, not ${shown(strange)}): take ` +
      `${basename(file)} from where the model comes from, or correct it.`,
  );
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
    temperature: typeof temperature === "number" && temperature >= 0 ? temperature : 1,
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
