import { join } from "node:path";
import { createDraw } from "../../statistics/draw.js";
import { randomModel } from "../../plan/random-model.js";
import type { MeasurementContext } from "../../plan/stage.js";
import { needsRuntime } from "../../plan/needs-runtime.js";

/** The graphs that the scenario runs, of one shape. */
export type EngineDtype = "fp32" | "q8" | "q4";

/** What every measurement of the scenario runs. */
export interface EngineModel {
  readonly folder: string;
  readonly vocabularySize: number;
  /** The same weights for llama.cpp; built when it is asked for. */
  readonly ggufFile: (dtype: EngineDtype) => Promise<string>;
}

/** Gives the model's folder; see {@link buildEngineModel}. Tests give a small one. */
export type FindEngineModel = (context: MeasurementContext) => Promise<EngineModel>;

const size = "135M";

const dtypes: readonly EngineDtype[] = ["fp32", "q8", "q4"];

/** The 135M shape with random weights, in the cache folder; built on first use. */
export const buildEngineModel: FindEngineModel = async ({ report, signal }) => {
  const { llamaPresets } = await needsRuntime(() => import("@streamgauge/runtime/onnx"));
  const build = (format: "onnx" | "gguf"): Promise<string> =>
    randomModel(size, {
      dtypes,
      format,
      signal,
      onProgress: ({ writtenBytes, totalBytes }) =>
        report?.(`building the ${size} model, ${Math.floor((100 * writtenBytes) / totalBytes)} %`),
    });
  return {
    folder: await build("onnx"),
    vocabularySize: llamaPresets[size].vocabularySize,
    ggufFile: async (dtype) => join(await build("gguf"), ggufFiles[dtype]),
  };
};

const graphFiles: Readonly<Record<EngineDtype, string>> = {
  fp32: "onnx/model.onnx",
  q8: "onnx/model_quantized.onnx",
  q4: "onnx/model_q4.onnx",
};

/** As `buildModel()` names them. */
const ggufFiles: Readonly<Record<EngineDtype, string>> = {
  fp32: "model-f32.gguf",
  q8: "model-q8_0.gguf",
  q4: "model-q4_0.gguf",
};

/** The graph's file, as transformers.js names it too. */
export function graphFile(dtype: EngineDtype): string {
  return graphFiles[dtype];
}

/** A prompt for each of so many streams, of lengths that differ by up to 3, as those of users do. */
export function drawPrompts(
  streams: number,
  seed: number,
  tokens: number,
  vocabularySize: number,
): number[][] {
  return Array.from({ length: streams }, (_, index) =>
    drawPrompt(seed + index, tokens + (index % 4), vocabularySize),
  );
}

/** Ids drawn from the vocabulary; the same seed draws the same. */
export function drawPrompt(seed: number, tokens: number, vocabularySize: number): number[] {
  const draw = createDraw(seed);
  return Array.from({ length: tokens }, () => draw.integer(0, vocabularySize - 1));
}
