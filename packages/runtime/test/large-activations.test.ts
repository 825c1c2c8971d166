import { join } from "node:path";
import { createInlineGenerator } from "@streamgauge/runtime";
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

it("activations beyond half precision end a generation there, with the remedy, and nowhere else", async () => {
  const model = await buildLarge();
  for (const dtype of dtypes) {
    await using generator = await createInlineGenerator({ model, dtype, threads: 1 });
    const made = generator.generate([3, 14, 15], { maxTokens: 4, ignoreEos: true });
    if (dtype !== "fp16" && dtype !== "q4f16") expect((await made).ids).toHaveLength(4);
    else {
      await expect(made).rejects.toMatchObject({
        code: "ENGINE_FAILED",
        message: expect.stringMatching(/half precision: choose another dtype, as fp32/) as string,
      });
    }
  }
});
