// The models that are measured. Random weights are as fast as trained ones.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, llamaPresets } from "@streamgauge/runtime/onnx";

const built = [
  { name: "42M-fp32", size: "42M", dtype: "fp32" },
  { name: "135M-fp32", size: "135M", dtype: "fp32" },
  { name: "135M-q8", size: "135M", dtype: "q8" },
  { name: "135M-q4", size: "135M", dtype: "q4" },
];

/** Tokens of a run alone, of each of eight streams, and of transformers.js: half a second on two cores. */
const tokens = {
  pequod: [192, 64, 128],
  "42M-fp32": [48, 16, 24],
  "135M-fp32": [20, 8, 12],
  "135M-q8": [32, 12, 12],
  "135M-q4": [40, 12, 12],
};

export const modelNames = ["pequod", ...built.map(({ name }) => name)];

/** Each with its folder, its dtype, its tokens as above, and how long a context and how many ids it has. */
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
    const config = JSON.parse(await readFile(join(model.folder, "config.json"), "utf8"));
    model.contextLength = config.max_position_embeddings;
    model.vocabularySize = config.vocab_size;
    models.push(model);
  }
  return models;
}
