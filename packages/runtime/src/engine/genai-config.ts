import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, readJsonObject, type JsonObject } from "../json-object.js";
import { namedFile } from "../named-file.js";
import { createGraphNames, type GraphNames } from "./graph-names.js";
import {
  readCacheSizes,
  readIds,
  readSampling,
  readSize,
  type SaidSettings,
} from "./model-settings.js";

/** The name of the file that says a folder is laid out for onnxruntime-genai. */
export const genaiConfigName = "genai_config.json";

/** What a `genai_config.json` says that decoding needs. */
export interface GenaiConfig {
  readonly settings: SaidSettings;
  readonly graphFile: string;
  readonly names: GraphNames;
}

/**
 * Reads the `genai_config.json` of a folder for onnxruntime-genai. Shapes are
 * not taken from it: the graph has them.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND` without the file, `MODEL_CORRUPT` when a field is
 *   missing or no use, `MODEL_UNSUPPORTED` for models of more than one graph, a combined cache
 *   and a graph outside the folder
 */
export async function readGenaiConfig(folder: string): Promise<GenaiConfig> {
  const file = join(folder, genaiConfigName);
  const config = await readJsonObject(file);
  if (config === undefined) {
    throw new StreamgaugeError("MODEL_NOT_FOUND", `There is no ${file}: copy the folder whole.`);
  }
  const model = objectIn(config, "model", file);
  refuseSeveralGraphs(model, file);
  const decoder = objectIn(model, "decoder", file);
  refuseSeveralGraphs(decoder, file);
  const { filename } = decoder;
  if (typeof filename !== "string" || filename === "") {
    throw damaged(file, `model.decoder.filename does not name the graph`);
  }
  const contextLength = readSize([model], ["context_length"], file);
  if (contextLength === undefined) throw damaged(file, `it has no "context_length"`);
  const search = config["search"];
  return {
    settings: {
      architecture: typeof model["type"] === "string" ? model["type"] : "unknown",
      vocabularySize: readSize([model], ["vocab_size"], file),
      contextLength,
      dtype: undefined,
      eosTokenIds: readIds(model["eos_token_id"], "eos_token_id", file),
      cacheSizes: readCacheSizes([decoder]),
      recommendedSampling: readSampling(isJsonObject(search) ? search : {}),
    },
    graphFile: namedFile(folder, filename, file),
    names: readNames(decoder, file),
  };
}

/** Whatever else than one decoder a model may be made of. */
const furtherGraphs = ["encoder", "embedding", "vision", "speech", "pipeline"];

function refuseSeveralGraphs(section: JsonObject, file: string): void {
  const further = furtherGraphs.find((part) => section[part] !== undefined);
  if (further === undefined) return;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} has the part "${further}", and this runtime runs decoders of one graph: use a model ` +
      `for text only.`,
  );
}

function readNames(decoder: JsonObject, file: string): GraphNames {
  const inputs = decoder["inputs"] === undefined ? {} : objectIn(decoder, "inputs", file);
  const outputs = decoder["outputs"] === undefined ? {} : objectIn(decoder, "outputs", file);
  const name = (from: JsonObject, field: string): string | undefined => {
    const value = from[field];
    if (value === undefined || (typeof value === "string" && value !== "")) return value;
    throw damaged(file, `the name ${field} of the decoder is not a text`);
  };
  refuseCombinedCache("past_names", name(inputs, "past_names"), file);
  refuseCombinedCache("present_names", name(outputs, "present_names"), file);
  const renamed = {
    inputIds: name(inputs, "input_ids"),
    attentionMask: name(inputs, "attention_mask"),
    positionIds: name(inputs, "position_ids"),
    pastKey: name(inputs, "past_key_names"),
    pastValue: name(inputs, "past_value_names"),
    pastConvolution: name(inputs, "past_conv_names"),
    pastRecurrence: name(inputs, "past_recurrent_names"),
    logits: name(outputs, "logits"),
    presentKey: name(outputs, "present_key_names"),
    presentValue: name(outputs, "present_value_names"),
    presentConvolution: name(outputs, "present_conv_names"),
    presentRecurrence: name(outputs, "present_recurrent_names"),
  };
  return createGraphNames(
    Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined)),
  );
}

function refuseCombinedCache(field: string, combined: string | undefined, file: string): void {
  if (combined === undefined) return;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} has ${field} "${combined}", a cache of keys and values in one, and this runtime feeds them ` +
      `apart: past_key_names, past_value_names, present_key_names and present_value_names are ` +
      `missing. Export the model with those.`,
  );
}

function objectIn(parent: JsonObject, field: string, file: string): JsonObject {
  const value = parent[field];
  if (isJsonObject(value)) return value;
  throw damaged(file, `its "${field}" is not an object`);
}

function damaged(file: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} is damaged: ${what}. Take the file from where the model comes from.`,
  );
}
