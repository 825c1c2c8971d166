// The models that are measured. Random weights are as fast as trained ones.
import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, llamaPresets } from "@streamgauge/runtime/onnx";

const built = [
  { name: "42M-fp32", size: "42M", dtype: "fp32" },
  { name: "135M-fp32", size: "135M", dtype: "fp32" },
  { name: "135M-q8", size: "135M", dtype: "q8" },
  { name: "135M-q4", size: "135M", dtype: "q4" },
];

/** Tokens of a run alone, and of each of eight streams: some half a second on two cores. */
const tokens = {
  pequod: [192, 64],
  "42M-fp32": [48, 16],
  "135M-fp32": [20, 8],
  "135M-q8": [32, 12],
  "135M-q4": [40, 12],
};

export const modelNames = ["pequod", ...built.map(({ name }) => name)];

/** @returns {Promise<{ name: string, folder: string, dtype: string, tokens: readonly number[] }[]>} */
export async function buildModels(workshop, names, say) {
  const models = [];
  for (const name of names) {
    const made = built.find((candidate) => candidate.name === name);
    const model = { name, folder: embeddedModel, dtype: "fp32", tokens: tokens[name] };
    if (made !== undefined) {
      say(`building ${name}`);
      model.folder = join(workshop, name);
      model.dtype = made.dtype;
      await buildRandomModel({
        shape: llamaPresets[made.size],
        seed: 1851,
        out: model.folder,
        dtypes: [made.dtype],
      });
    }
    models.push(model);
  }
  return models;
}
