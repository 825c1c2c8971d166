import { existsSync } from "node:fs";
import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { readLeanModel } from "../onnx/lean-model.js";
import { graphFileName, modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { embeddedModel } from "../embedded-model.js";
import { readChatTemplate, type ChatTemplate } from "../text/chat-template.js";
import { loadTokenizer, type Tokenizer } from "../text/tokenizer.js";
import { genaiConfigName, readGenaiConfig } from "./genai-config.js";
import { createGraphNames, type GraphNames } from "./graph-names.js";
import { readModelSettings, type ModelSettings } from "./model-settings.js";

/** What a model folder holds, whichever way it is laid out. */
export interface ModelFolder {
  readonly settings: ModelSettings;
  /** "unknown" where the folder does not say. */
  readonly dtype: ModelDtype | "unknown";
  readonly graphFile: string;
  /** The file's bytes without its weights; see {@link readLeanModel}. */
  readonly graph: Uint8Array;
  readonly names: GraphNames;
  /** Undefined for a model that takes token ids only. */
  readonly tokenizer: Tokenizer | undefined;
  readonly chatTemplate: ChatTemplate | undefined;
}

/**
 * Reads a folder in one of two layouts:
 *
 * - Hugging Face's, as transformers.js reads it: `config.json`, one or several
 *   graphs `onnx/model….onnx` (or `onnx/decoder_model_merged….onnx`), and, if
 *   present, `generation_config.json`;
 * - onnxruntime-genai's: `genai_config.json`, which names the one graph.
 *
 * A folder with a folder `onnx` is in the first. In both, `tokenizer.json`,
 * `tokenizer_config.json` and `chat_template.jinja` lie beside, if there are any.
 *
 * @param dtype which of several graphs; undefined: the one `config.json` names, or else fp32
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`; and
 *   `INVALID_OPTION` for a dtype where there is nothing to choose
 */
export async function readModelFolder(
  folder: string,
  dtype: ModelDtype | undefined,
): Promise<ModelFolder> {
  if (!existsSync(folder)) {
    const remedy =
      folder === embeddedModel
        ? "It is the embedded model's: in a clone of the repository run `pnpm turbo build:model`, " +
          "otherwise install @streamgauge/runtime again."
        : "Give the path of a folder that holds config.json, onnx/model.onnx and, to work with text, " +
          "tokenizer.json.";
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `There is no model folder at ${folder}. ${remedy}`,
    );
  }
  const isGenai = existsSync(join(folder, genaiConfigName)) && !existsSync(join(folder, "onnx"));
  const found = await (isGenai ? readGenaiFolder : readHuggingFaceFolder)(folder, dtype);
  const hasTokenizer = existsSync(join(folder, "tokenizer.json"));
  const tokenizer = hasTokenizer ? await loadTokenizer(folder) : undefined;
  if (tokenizer !== undefined) {
    checkTokenizer(tokenizer.vocabularySize, found.settings.vocabularySize, folder);
  }
  return {
    ...found,
    graph: await readGraph(found.graphFile, folder),
    tokenizer,
    // What it writes has to become ids.
    chatTemplate: hasTokenizer ? await readChatTemplate(folder) : undefined,
  };
}

type FolderLayout = Pick<ModelFolder, "settings" | "dtype" | "graphFile" | "names">;

async function readHuggingFaceFolder(
  folder: string,
  wanted: ModelDtype | undefined,
): Promise<FolderLayout> {
  const settings = await readModelSettings(folder);
  const dtype = wanted ?? settings.dtype ?? "fp32";
  const graphFile = graphFileIn(folder, dtype) ?? join(folder, "onnx", graphFileName(dtype));
  return { settings, dtype, graphFile, names: createGraphNames() };
}

async function readGenaiFolder(
  folder: string,
  wanted: ModelDtype | undefined,
): Promise<FolderLayout> {
  if (wanted !== undefined) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `dtype is "${wanted}", and ${folder} has one graph, which its ${genaiConfigName} names: ` +
        `leave dtype out.`,
    );
  }
  return { ...(await readGenaiConfig(folder)), dtype: "unknown" };
}

/** The graph of this dtype, if the folder has it. */
function graphFileIn(folder: string, dtype: ModelDtype): string | undefined {
  return (["model", "decoder_model_merged"] as const)
    .map((stem) => join(folder, "onnx", graphFileName(dtype, stem)))
    .find((file) => existsSync(file));
}

async function readGraph(file: string, folder: string): Promise<Uint8Array> {
  try {
    return await readLeanModel(file);
  } catch (cause) {
    if (cause instanceof StreamgaugeError) throw cause;
    const others = modelDtypes.filter((dtype) => graphFileIn(folder, dtype) !== undefined);
    const remedy =
      others.length === 0
        ? "The folder needs the model's graph there: build it, or copy it whole."
        : `The folder has the model as ${others.join(", ")}: choose one by the option dtype.`;
    throw new StreamgaugeError("MODEL_NOT_FOUND", `Cannot read ${file}. ${remedy}`, { cause });
  }
}

function checkTokenizer(tokenizerSize: number, modelSize: number, folder: string): void {
  // A model's table may be padded beyond the tokenizer; the other way round ids have no row.
  if (tokenizerSize <= modelSize) return;
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `The tokenizer in ${folder} has ${tokenizerSize} ids and the model only ${modelSize}: ` +
      `take both from the same checkpoint.`,
  );
}
