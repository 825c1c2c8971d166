import { join } from "node:path";
import { StreamgaugeError, invalidOption, messageOf } from "@streamgauge/core";
import { embeddedModel } from "../embedded-model.js";
import { embeddingRows } from "../onnx/embedding-rows.js";
import { readGraphSummary } from "../onnx/graph-summary.js";
import { readLeanModel } from "../onnx/lean-model.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { hasFile, hasFolder } from "../regular-file.js";
import { largestSize } from "../size-limit.js";
import { readChatTemplate, type ChatTemplate } from "../text/chat-template.js";
import { loadTokenizer, type Tokenizer } from "../text/tokenizer.js";
import { genaiConfigName, readGenaiConfig } from "./genai-config.js";
import { hubNameOf } from "../hub/hub-cache.js";
import { pullCommand } from "../hub/hub-name.js";
import { createGraphNames, standardNames, type GraphNames } from "./graph-names.js";
import { graphPlaces } from "./graph-places.js";
import { readModelSettings, type ModelSettings, type SaidSettings } from "./model-settings.js";

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
 *   present, `generation_config.json`; as optimum writes it, graphs lie beside
 *   `config.json`;
 * - onnxruntime-genai's: `genai_config.json`, which names the one graph.
 *
 * A folder with a folder `onnx` is in the first. In both, `tokenizer.json`,
 * `tokenizer_config.json` and `chat_template.jinja` lie beside, if there are any.
 * Any file may be a link, as in the Hugging Face hub's cache. Nothing else is read
 * that lies outside of the folder.
 *
 * @param dtype which of several graphs; undefined: the one `config.json` names, or else fp32
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`; and
 *   `INVALID_OPTION` for a dtype where there is nothing to choose
 */
export async function readModelFolder(
  folder: string,
  dtype: ModelDtype | undefined,
): Promise<ModelFolder> {
  if (!(await hasFolder(folder))) {
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
  const isGenai =
    (await hasFile(join(folder, genaiConfigName))) && !(await hasFolder(join(folder, "onnx")));
  const found = await (isGenai ? readGenaiFolder : readHuggingFaceFolder)(folder, dtype);
  const hasTokenizer = await hasFile(join(folder, "tokenizer.json"));
  const tokenizer = hasTokenizer ? await loadTokenizer(folder) : undefined;
  const graph = await readGraph(found.graphFile);
  const vocabularySize = chooseVocabularySize(found, graph, folder);
  if (tokenizer !== undefined) checkTokenizer(tokenizer.vocabularySize, vocabularySize, folder);
  return {
    ...found,
    settings: { ...found.settings, vocabularySize },
    graph,
    tokenizer,
    // What it writes has to become ids.
    chatTemplate: hasTokenizer ? await readChatTemplate(folder) : undefined,
  };
}

type FolderLayout = Pick<ModelFolder, "dtype" | "graphFile" | "names"> & {
  readonly settings: SaidSettings;
};

async function readHuggingFaceFolder(
  folder: string,
  wanted: ModelDtype | undefined,
): Promise<FolderLayout> {
  const settings = await readModelSettings(folder);
  const dtype = wanted ?? settings.dtype ?? "fp32";
  const graphFile = (await graphFileIn(folder, dtype)) ?? (await missingGraph(folder, dtype));
  return { settings, dtype, graphFile, names: createGraphNames() };
}

async function readGenaiFolder(
  folder: string,
  wanted: ModelDtype | undefined,
): Promise<FolderLayout> {
  if (wanted !== undefined) {
    throw invalidOption(
      `dtype is "${wanted}", and ${folder} has one graph, which its ${genaiConfigName} names: ` +
        `leave dtype out.`,
    );
  }
  const found = await readGenaiConfig(folder);
  if (await hasFile(found.graphFile)) return { ...found, dtype: "unknown" };
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `There is no ${found.graphFile}, which ${genaiConfigName} names as the model's graph: copy the ` +
      `folder whole.`,
  );
}

/** The graph of this dtype, if the folder has it. */
async function graphFileIn(folder: string, dtype: ModelDtype): Promise<string | undefined> {
  for (const place of graphPlaces(dtype)) {
    const file = join(folder, place);
    if (await hasFile(file)) return file;
  }
  return undefined;
}

async function missingGraph(folder: string, dtype: ModelDtype): Promise<never> {
  const others: ModelDtype[] = [];
  for (const other of modelDtypes) {
    if ((await graphFileIn(folder, other)) !== undefined) others.push(other);
  }
  const pulled = hubNameOf(folder);
  const choice =
    others.length === 0
      ? "The folder needs the model's graph there: build it, or copy it whole"
      : `The folder has the model as ${others.join(", ")}: choose one by the option dtype`;
  const remedy =
    pulled === undefined ? `${choice}.` : `${choice}, or run \`${pullCommand(pulled, dtype)}\`.`;
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `${folder} has none of ${graphPlaces(dtype).join(", ")}. ${remedy}`,
  );
}

async function readGraph(file: string): Promise<Uint8Array> {
  try {
    return await readLeanModel(file);
  } catch (cause) {
    if (cause instanceof StreamgaugeError) throw cause;
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} is damaged: it cannot be read (${messageOf(cause)}). Build, copy or download it again.`,
      { cause },
    );
  }
}

/**
 * The graph is what runs: the width of its logits counts, or else the rows that it has for
 * ids, whatever a configuration says.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` where nothing says it, `MODEL_UNSUPPORTED` where the
 *   graph has more than {@link largestSize}
 */
function chooseVocabularySize(
  { graphFile, names, settings }: FolderLayout,
  graph: Uint8Array,
  folder: string,
): number {
  const summary = readGraphSummary(graph, graphFile);
  const width = summary.shapes.get(names.own(standardNames.logits))?.at(-1);
  const rows =
    typeof width === "number" && width > 0
      ? width
      : embeddingRows(graph, summary, names.own(standardNames.inputIds));
  if (rows !== undefined && rows > largestSize) {
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${graphFile} has ${rows} ids, and this runtime takes models of up to ${largestSize}.`,
    );
  }
  const said = rows ?? settings.vocabularySize;
  if (said !== undefined) return said;
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `Neither the configuration in ${folder} nor the graph says how many ids the model has: add ` +
      `"vocab_size".`,
  );
}

/**
 * Either may have some more: a model's table is padded, or a tokenizer knows tokens of other
 * models of its family, of which the graph has no rows.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` where most of the tokenizer's ids have no row
 */
function checkTokenizer(tokenizerSize: number, modelSize: number, folder: string): void {
  if (tokenizerSize <= 2 * modelSize) return;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `The tokenizer in ${folder} has ${tokenizerSize} ids and the model's graph only ${modelSize}: ` +
      `take both from the same checkpoint.`,
  );
}
