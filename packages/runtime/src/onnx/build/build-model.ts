import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";

import { StreamgaugeError, invalidOption, messageOf, readOptions } from "@streamgauge/core";

import {
  buildModelTable,
  buildRandomModelTable,
  type BuildModelOptions,
  type BuildRandomModelOptions,
} from "./build-options.js";
import { openCheckpoint } from "./checkpoint.js";
import { parseDecoderConfig } from "./decoder-config.js";
import { placeholderTokenizer, readGgufTokenizer } from "./gguf/gguf-tokenizer.js";
import { createGgufWriter } from "./gguf/gguf-writer.js";
import { formatLlamaConfig, type LlamaShape } from "./llama-shape.js";
import { createOnnxWriter } from "./onnx-writer.js";
import { isMissing, replaceFolder } from "./replace-folder.js";
import type { WeightSource } from "./weight-source.js";
import { checkTensors, checkpointWeights, randomWeights } from "./weights.js";

/**
 * Builds a model folder that this runtime and transformers.js load alike
 * (`config.json`, tokenizer files, `onnx/model….onnx`) from a checkpoint of one
 * of the families in `families.ts`: Llama, Qwen2, Qwen3, Mistral, SmolLM3,
 * Granite, OLMo-2, Gemma-3 (text) or Phi-3. Or, of a Llama, GGUF files for llama.cpp.
 *
 * The folder appears when it is complete or not at all. Weights pass through a
 * few megabytes at a time, whatever the size of the model.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`,
 *   `MODEL_UNSUPPORTED` for the checkpoint; `INVALID_OPTION` for the rest
 */
export async function buildModel(options: BuildModelOptions): Promise<void> {
  const resolved = readOptions(options, buildModelTable);
  const { checkpoint: source, format, out, randomSeed } = resolved;
  const file = join(source, "config.json");
  const config = await readConfig(file);
  const shape = parseDecoderConfig(config, file);
  const writer =
    format === "onnx"
      ? createOnnxWriter(config, shape, resolved)
      : createGgufWriter(config, shape, file, await readGgufTokenizer(source, shape), resolved);
  const write = async (openWeights: () => WeightSource): Promise<void> =>
    await replaceFolder(out, writer.entries, async (folder) => {
      for (const name of writer.companions) {
        await copyIfPresent(join(source, name), join(folder, name));
      }
      await writer.write(folder, openWeights);
    });
  if (randomSeed !== undefined) return await write(() => randomWeights(randomSeed));
  const checkpoint = await openCheckpoint(source);
  try {
    for (const groups of writer.tensorGroups) checkTensors(checkpoint, groups, shape);
    await write(() => checkpointWeights(checkpoint));
  } finally {
    await checkpoint.close();
  }
}

/**
 * Builds a model folder with random weights, whose speed is that of a trained
 * model of the same shape. It has a `config.json` and its graphs but no
 * tokenizer: feed it token ids. The same seed gives the same weights in each
 * format.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for `shape`, `seed`, `dtypes` or `out`,
 *   `MODEL_UNSUPPORTED` for a shape beyond the 2 GiB of an ONNX file and `externalData: false`,
 *   or one that is no Llama and `format: "gguf"`
 */
export async function buildRandomModel(options: BuildRandomModelOptions): Promise<void> {
  const resolved = readOptions(options, buildRandomModelTable);
  const { format, seed, out } = resolved;
  const config = checkedConfig(resolved.shape);
  const shape = parseDecoderConfig(config, "shape");
  const writer =
    format === "onnx"
      ? createOnnxWriter(config, shape, resolved)
      : createGgufWriter(
          config,
          shape,
          "shape",
          placeholderTokenizer(shape.vocabularySize),
          resolved,
        );
  await replaceFolder(out, writer.entries, (folder) =>
    writer.write(folder, () => randomWeights(seed)),
  );
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
