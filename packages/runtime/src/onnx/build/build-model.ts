import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StreamgaugeError, invalidOption, messageOf, readOptions } from "@streamgauge/core";

import {
  buildModelTable,
  buildRandomModelTable,
  type BuildModelOptions,
  type BuildRandomModelOptions,
  type ResolvedBuildTarget,
} from "./build-options.js";
import { openCheckpoint } from "./checkpoint.js";
import { parseDecoderConfig } from "./decoder-config.js";
import { buildDecoderGraph } from "./decoder-graph.js";
import type { DecoderShape } from "./decoder-shape.js";
import { describeDtypes } from "./dtype-config.js";
import type { BuiltGraph } from "./graph-builder.js";
import { formatLlamaConfig, type LlamaShape } from "./llama-shape.js";
import { graphFileName, numberFormat, type BuildDtype } from "../model-dtype.js";
import { ElementType } from "../protobuf.js";
import { writeModelFiles } from "./model-file.js";
import { layOutModel } from "./model-layout.js";
import { isMissing, replaceFolder } from "./replace-folder.js";
import type { WeightSource } from "./weight-source.js";
import { checkTensors, checkpointWeights, randomWeights } from "./weights.js";

/** Taken along unchanged from a checkpoint where present. */
const companions = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "chat_template.json",
  "README.md",
  "LICENSE",
];

/** Everything a build may have put into a model folder. */
const ours = [...companions, "config.json", "onnx"];

/**
 * Builds a model folder that this runtime and transformers.js load alike
 * (`config.json`, tokenizer files, `onnx/model….onnx`) from a checkpoint of one
 * of the families in `families.ts`: Llama, Qwen2, Qwen3, Mistral, SmolLM3,
 * Granite, OLMo-2, Gemma-3 (text) or Phi-3.
 *
 * The folder appears when it is complete or not at all. Weights pass through a
 * few megabytes at a time, whatever the size of the model.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`,
 *   `MODEL_UNSUPPORTED` for the checkpoint; `INVALID_OPTION` for the rest
 */
export async function buildModel(options: BuildModelOptions): Promise<void> {
  const resolved = readOptions(options, buildModelTable);
  const { checkpoint: source, dtypes, randomSeed } = resolved;
  const file = join(source, "config.json");
  const config = await readConfig(file);
  const shape = parseDecoderConfig(config, file);
  const graphs = buildGraphs(shape, dtypes);
  const write = async (openWeights: () => WeightSource): Promise<void> =>
    await replaceFolder(resolved.out, ours, async (folder) => {
      for (const name of companions) await copyIfPresent(join(source, name), join(folder, name));
      await writeModel(folder, config, graphs, openWeights, resolved);
    });
  if (randomSeed !== undefined) return await write(() => randomWeights(randomSeed));
  const checkpoint = await openCheckpoint(source);
  try {
    for (const { graph } of graphs) checkTensors(checkpoint, graph.tensorGroups, shape);
    await write(() => checkpointWeights(checkpoint));
  } finally {
    await checkpoint.close();
  }
}

/**
 * Builds a model folder with random weights, whose speed is that of a trained
 * model of the same shape. It has a `config.json` and its graphs but no
 * tokenizer: feed it token ids.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for `shape`, `seed`, `dtypes` or `out`,
 *   `MODEL_UNSUPPORTED` for a shape beyond the 2 GiB of an ONNX file and `externalData: false`
 */
export async function buildRandomModel(options: BuildRandomModelOptions): Promise<void> {
  const resolved = readOptions(options, buildRandomModelTable);
  const { shape, seed, out, dtypes } = resolved;
  const config = checkedConfig(shape);
  const graphs = buildGraphs(parseDecoderConfig(config, "shape"), dtypes);
  await replaceFolder(out, ours, async (folder) => {
    await writeModel(folder, config, graphs, () => randomWeights(seed), resolved);
  });
}

interface DtypeGraph {
  readonly dtype: BuildDtype;
  readonly graph: BuiltGraph;
}

/** @throws StreamgaugeError `MODEL_UNSUPPORTED` for a dtype that the family does not compute in */
function buildGraphs(shape: DecoderShape, dtypes: readonly BuildDtype[]): DtypeGraph[] {
  return dtypes.map((dtype) => {
    const format = numberFormat(dtype);
    if (shape.needsFloat32 !== undefined && format.float === ElementType.float16) {
      throw new StreamgaugeError(
        "MODEL_UNSUPPORTED",
        `${dtype} computes in half precision. ${shape.needsFloat32}: choose fp32, q8 or q4.`,
      );
    }
    return { dtype, graph: buildDecoderGraph(shape, format) };
  });
}

async function writeModel(
  folder: string,
  config: string,
  graphs: readonly DtypeGraph[],
  openWeights: () => WeightSource,
  { externalData, onProgress, signal }: ResolvedBuildTarget,
): Promise<void> {
  const plans = graphs.map(({ dtype, graph }) => {
    const file = graphFileName(dtype);
    const layout = layOutModel(join(folder, "onnx", file), graph, externalData);
    return { dtype, file, graph, layout };
  });
  await writeFile(
    join(folder, "config.json"),
    describeDtypes(
      config,
      plans.map(({ dtype, layout }) => ({ dtype, files: layout.files.length })),
    ),
  );
  await mkdir(join(folder, "onnx"));
  const totalBytes = plans.reduce((sum, { layout }) => sum + layout.totalBytes, 0);
  let doneBytes = 0;
  for (const { file, graph, layout } of plans) {
    await writeModelFiles(layout, graph.tensorGroups, openWeights(), (tensor, writtenBytes) => {
      signal?.throwIfAborted();
      onProgress({ file, tensor, writtenBytes: doneBytes + writtenBytes, totalBytes });
    });
    doneBytes += layout.totalBytes;
  }
}

/** A shape given in code goes through the same checks as one in a file. */
function checkedConfig(shape: LlamaShape): string {
  if (shape.headNorms === true && shape.attentionBias === "inputs") {
    throw invalidOption(
      `shape has headNorms and attentionBias "inputs", which no family has: leave one out, or ` +
        `take "all".`,
    );
  }
  const config = formatLlamaConfig(shape);
  try {
    parseDecoderConfig(config, "shape");
  } catch (cause) {
    const reason = messageOf(cause);
    throw new StreamgaugeError("INVALID_OPTION", reason, { cause });
  }
  return config;
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `${path} cannot be read. Give the folder of a Hugging Face checkpoint.`,
      { cause },
    );
  }
}

async function copyIfPresent(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
