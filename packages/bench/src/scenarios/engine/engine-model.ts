import { createDraw } from "../../statistics/draw.js";
import { randomModel } from "../../plan/random-model.js";
import type { MeasurementContext } from "../../plan/stage.js";
import { needsRuntime } from "../../plan/needs-runtime.js";

/** The graphs that the scenario runs, of one shape. */
export type EngineDtype = "fp32" | "q4";

/** What every measurement of the scenario runs. */
export interface EngineModel {
  readonly folder: string;
  readonly vocabularySize: number;
}

/** Gives the model's folder; see {@link buildEngineModel}. Tests give a small one. */
export type FindEngineModel = (context: MeasurementContext) => Promise<EngineModel>;

const size = "135M";

/** The 135M shape with random weights in fp32 and q4, in the cache folder; built on first use. */
export const buildEngineModel: FindEngineModel = async ({ report, signal }) => {
  const { llamaPresets } = await needsRuntime(() => import("@streamgauge/runtime/onnx"));
  const folder = await randomModel(size, {
    dtypes: ["fp32", "q4"],
    signal,
    onProgress: ({ writtenBytes, totalBytes }) =>
      report?.(`building the ${size} model, ${Math.floor((100 * writtenBytes) / totalBytes)} %`),
  });
  return { folder, vocabularySize: llamaPresets[size].vocabularySize };
};

/** The graph's file, as both engines name it. */
export function graphFile(dtype: EngineDtype): string {
  return dtype === "fp32" ? "onnx/model.onnx" : `onnx/model_${dtype}.onnx`;
}

/** Ids drawn from the vocabulary; the same seed draws the same. */
export function drawPrompt(seed: number, tokens: number, vocabularySize: number): number[] {
  const draw = createDraw(seed);
  return Array.from({ length: tokens }, () => draw.integer(0, vocabularySize - 1));
}
