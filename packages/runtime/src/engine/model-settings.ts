import { join } from "node:path";
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
  /** How the model's makers sample from it; greedy when they do not say. */
  readonly recommendedSampling: RecommendedSampling;
}

export interface RecommendedSampling {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
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
      `There is no ${file}. A model folder needs config.json, tokenizer.json and onnx/model.onnx.`,
    );
  }
  const generation = (await readJsonObject(join(folder, "generation_config.json"))) ?? {};
  return {
    architecture: typeof config["model_type"] === "string" ? config["model_type"] : "unknown",
    vocabularySize: readCount(config, "vocab_size", file),
    contextLength: readCount(config, "max_position_embeddings", file),
    dtype: readDtype(config),
    eosTokenIds: readIds(generation["eos_token_id"] ?? config["eos_token_id"]),
    recommendedSampling: readSampling(generation),
  };
}

function readCount(config: JsonObject, field: string, file: string): number {
  const value = config[field];
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} has no usable "${field}" (a positive integer): take config.json from the checkpoint.`,
  );
}

/** transformers.js's own setting, which may also be a table for devices or files. */
function readDtype(config: JsonObject): ModelDtype | undefined {
  const settings = config["transformers.js_config"];
  const dtype = isJsonObject(settings) ? settings["dtype"] : undefined;
  return modelDtypes.find((known) => known === dtype);
}

/** One id, several, or none. */
function readIds(value: unknown): ReadonlySet<number> {
  const ids = Array.isArray(value) ? value : [value];
  return new Set(ids.filter((id): id is number => Number.isInteger(id)));
}

function readSampling(generation: JsonObject): RecommendedSampling {
  const { do_sample: draws, temperature, top_k: topK, top_p: topP } = generation;
  if (draws !== true) return { temperature: 0 };
  return {
    temperature: typeof temperature === "number" ? temperature : 1,
    ...(typeof topK === "number" && topK > 0 ? { topK } : {}),
    ...(typeof topP === "number" && topP < 1 ? { topP } : {}),
  };
}
