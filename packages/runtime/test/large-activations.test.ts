import { join } from "node:path";
import { createInlineGenerator, createRuntime } from "@streamgauge/runtime";
import { buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { expect, it } from "vitest";
import { firstFamilies } from "./family-checkpoints.js";
import { randomWeights, writeCheckpoint } from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";

const dtypes = ["fp32", "q8", "q4", "fp16", "q4f16"] as const satisfies readonly BuildDtype[];

/** A model whose activations grow beyond 65,504, as those of Gemma 3 do; all of its weights are below. */
async function buildLarge(): Promise<string> {
  const parent = await temporaryFolder();
  const [family] = firstFamilies;
  if (family === undefined) throw new Error("There is no family.");
  const weights = new Map(
    [...randomWeights(family.config, "F32", 5)].map(([name, weight]) => [
      name,
      name.includes("down_proj")
        ? { ...weight, values: weight.values.map((value) => Math.sign(value) * 60_000) }
        : weight,
    ]),
  );
  const checkpoint = join(parent, "checkpoint");
  await writeCheckpoint(checkpoint, family.config, weights, "F32");
  await buildModel({ checkpoint, out: join(parent, "model"), dtypes });
  return join(parent, "model");
}

type Open = typeof createInlineGenerator | typeof createRuntime;

async function idsIn(open: Open, model: string, dtype: BuildDtype): Promise<readonly number[]> {
  await using generator = await open({ model, dtype, threads: 1 });
  return (await generator.generate([3, 14, 15], { maxTokens: 4, ignoreEos: true })).ids;
}

it.each<[string, Open]>([
  ["in the calling thread", createInlineGenerator],
  ["in a worker", createRuntime],
])(
  "activations beyond half precision are refused there by name, and nowhere else: %s",
  async (_, open) => {
    const model = await buildLarge();
    for (const dtype of ["fp32", "q8", "q4"] as const) {
      expect(await idsIn(open, model, dtype)).toHaveLength(4);
    }
    for (const dtype of ["fp16", "q4f16"] as const) {
      await expect(idsIn(open, model, dtype)).rejects.toMatchObject({
        code: "ENGINE_FAILED",
        message: expect.stringMatching(/half precision: choose another dtype, as fp32/) as string,
      });
    }
  },
);
