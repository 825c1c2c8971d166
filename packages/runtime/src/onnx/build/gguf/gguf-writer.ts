import { invalidOption } from "@streamgauge/core";
import { parseJsonObject } from "../../../json-object.js";
import type { ResolvedBuildTarget } from "../build-options.js";
import type { DecoderShape } from "../decoder-shape.js";
import { writePlans, type ModelWriter } from "../model-writer.js";
import type { GgufMetadata } from "./gguf-header.js";
import {
  describeGgufModel,
  ggufDtypes,
  ggufFileName,
  planGgufFile,
  type GgufDtype,
} from "./gguf-model.js";

const companions = ["README.md", "LICENSE"];

/**
 * Writes a GGUF file for each dtype, for llama.cpp.
 *
 * @param config the text of the shape's `config.json`
 * @param file the path the user knows it by, for the errors
 * @param tokenizer see `readGgufTokenizer`
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for another architecture than Llama,
 *   `INVALID_OPTION` for a dtype that is not built, or `externalData`
 */
export function createGgufWriter(
  config: string,
  shape: DecoderShape,
  file: string,
  tokenizer: GgufMetadata,
  target: ResolvedBuildTarget,
): ModelWriter {
  if (target.externalData !== undefined) {
    throw invalidOption("externalData is for ONNX; a GGUF file holds its weights. Leave it out.");
  }
  const dtypes = target.dtypes.map((dtype): GgufDtype => {
    const known = ggufDtypes.find((each) => each === dtype);
    if (known !== undefined) return known;
    throw invalidOption(
      `dtypes: ${dtype} is not built as GGUF. Choose of ${ggufDtypes.join(", ")}.`,
    );
  });
  const model = describeGgufModel(parseJsonObject(config, file), shape, file, tokenizer);
  return {
    tensorGroups: [model.tensorGroups],
    companions,
    entries: [...companions, ...ggufDtypes.map(ggufFileName)],
    write: (folder, openWeights) =>
      writePlans(
        dtypes.map((dtype) => planGgufFile(model, dtype, folder)),
        openWeights,
        target,
      ),
  };
}
