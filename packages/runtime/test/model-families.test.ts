import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { createInlineGenerator } from "@streamgauge/runtime";
import { buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, it } from "vitest";

import { quantiseRows } from "../src/onnx/build/block-quantisation.js";
import { roundToFloat16 } from "../src/onnx/half-precision.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { firstFamilies, furtherFamilies } from "./family-checkpoints.js";
import { choicesFrom, forward, multiplyBy, type ForwardOptions } from "./forward-reference.js";
import { emptyCache, tokenFeeds } from "./greedy-reference.js";
import { dequantise, roundActivations } from "./quantised-reference.js";
import { randomWeights, writeCheckpoint, type Weight } from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";
import { greedyInTransformers } from "./transformers-reference.js";

/** More than the windows and fewer than the borders. */
const ids = Array.from({ length: 40 }, (_, at) => (at * at * 7 + at * 3 + 5) % 80);

/** What the dtype makes of each weight, and of the inputs of each product. */
function referenceOptions(weights: ReadonlyMap<string, Weight>, dtype: BuildDtype): ForwardOptions {
  const half = dtype === "fp16" || dtype === "q4f16";
  const floats = (weight: Weight): Weight => ({
    ...weight,
    values: half ? weight.values.map(roundToFloat16) : weight.values,
  });
  const bits =
    dtype === "q4" || dtype === "q4f16" ? 4 : dtype === "q8" || dtype === "int8" ? 8 : undefined;
  const matrix = (weight: Weight): Weight => {
    if (bits === undefined) return floats(weight);
    const columns = weight.shape[1]!;
    const quantised = quantiseRows(
      weight.values,
      columns,
      bits,
      half ? roundToFloat16 : Math.fround,
    );
    return { ...weight, values: dequantise(quantised, columns, bits) };
  };
  const stored = new Map(
    [...weights].map(([name, weight]) => [
      name,
      weight.shape.length === 2 ? matrix(weight) : floats(weight),
    ]),
  );
  const embedding = weights.get("model.embed_tokens.weight")!;
  const width = embedding.shape[1]!;
  // An embedding whose rows do not fill blocks stays as it is, and so does a head tied to it.
  const isPlain = bits !== undefined && width % 32 !== 0;
  if (isPlain) stored.set("model.embed_tokens.weight", floats(embedding));
  return {
    weights: stored,
    embed: (id) => {
      const { values } = stored.get("model.embed_tokens.weight")!;
      return Array.from(values.subarray(id * width, (id + 1) * width));
    },
    multiply: (name, input) => {
      const plain = bits === undefined || (isPlain && name === "model.embed_tokens.weight");
      return multiplyBy(stored.get(name)!, plain ? input : roundActivations(input));
    },
  };
}

/**
 * Bounds on the error of the logits at a position, root mean square against root
 * mean square: at the middle one of all positions, and at the worst. In half
 * precision each value between two operators is rounded. With quantised weights
 * the inputs of products are rounded to 8 bits; where a float32 lies within its
 * last bit of the middle between two of those, the reference may take the other,
 * and positions behind it see that. Half precision does so everywhere.
 */
const bounds: Readonly<Record<BuildDtype, readonly [middle: number, worst: number]>> = {
  fp32: [1e-5, 1e-5],
  fp16: [2e-3, 4e-3],
  q8: [1e-4, 0.05],
  int8: [1e-4, 0.05],
  q4: [1e-4, 0.05],
  q4f16: [0.04, 0.08],
};

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

const families = [...firstFamilies, ...furtherFamilies];
const count = 60;
const leastKinds = 5;

describe.each(families.map((family) => [family.name, family] as const))("%s", (_, family) => {
  const { config, type, shards, border, half = true } = family;
  const dtypes = (Object.keys(bounds) as BuildDtype[]).filter(
    (dtype) => half || !halfDtypes.includes(dtype),
  );
  const build = async (seed: number, ...asked: BuildDtype[]): Promise<Built> => {
    const parent = await temporaryFolder();
    const weights = randomWeights(config, type, seed);
    await writeCheckpoint(join(parent, "checkpoint"), config, weights, type, shards);
    const model = join(parent, "model");
    await buildModel({ checkpoint: join(parent, "checkpoint"), out: model, dtypes: asked });
    return { model, weights };
  };

  it.each(dtypes)("computes its logits in %s", async (dtype) => {
    const [middle, worst] = bounds[dtype];
    // With more positions, most see one behind which a rounding went the other way.
    const prompt = dtype === "fp32" ? ids : ids.slice(0, 12);
    // A wrong computation is wrong with each seed; where the first has such a position, others do not.
    const seeds = ["fp32", "fp16"].includes(dtype) ? [7] : [7, 8, 9];
    const found: (readonly [middle: number, worst: number])[] = [];
    for (const seed of seeds) {
      const { model, weights } = await build(seed, dtype);
      const expected = forward(config, prompt, referenceOptions(weights, dtype));
      const errors = await logitErrors(model, dtype, prompt, expected);
      found.push([errors[prompt.length / 2]!, errors.at(-1)!]);
      if (found.some((each) => each[0] < middle && each[1] < worst)) return;
    }
    expect(found).toEqual(`errors below ${middle} in the middle and ${worst} at worst`);
  });

  it("decodes greedily what its logits say, from the cache of this runtime", async () => {
    const { model, weights } = await build(11, "fp32");
    await using generator = await createInlineGenerator({ model });
    const options = referenceOptions(weights, "fp32");
    for (const length of border === undefined ? [12] : [12, border - 30, border + 5]) {
      const prompt = Array.from({ length }, (__, at) => ids[at % ids.length]!);
      const made = (await generator.generate(prompt, { maxTokens: count, ignoreEos: true })).ids;
      const sequence = [...prompt, ...made.slice(0, -1)];
      expect(choicesFrom(config, sequence, length - 1, options, border)).toEqual(made);
      // One that said the same again and again would do so whatever it computed.
      if (!firstFamilies.includes(family)) {
        expect(new Set(made).size).toBeGreaterThanOrEqual(leastKinds);
      }
    }
  });

  it.each<BuildDtype>(["fp32", "q4"])("makes transformers.js's ids in %s", async (dtype) => {
    const { model } = await build(11, dtype);
    await using generator = await createInlineGenerator({ model, dtype });
    const prompt = ids.slice(0, 12);
    const made = await generator.generate(prompt, { maxTokens: count, ignoreEos: true });
    expect(made.ids).toEqual(await greedyInTransformers(model, prompt, count));
  });
});

/** Relative errors of the logits at each position of a prompt, the least first. */
async function logitErrors(
  model: string,
  dtype: BuildDtype,
  prompt: readonly number[],
  expected: readonly (readonly number[])[],
): Promise<number[]> {
  const session = await InferenceSession.create(join(model, "onnx", graphFileName(dtype)));
  const feeds = { ...tokenFeeds(prompt, prompt.length), ...emptyCache(session) };
  const { logits } = await session.run(feeds, ["logits"]);
  await session.release();
  expect(logits!.type).toBe("float32");
  const found = logits!.data as Float32Array;
  return expected
    .map((row, position) => {
      const error = row.map((logit, id) => logit - found[position * row.length + id]!);
      return rootMeanSquare(error) / rootMeanSquare(row);
    })
    .toSorted((a, b) => a - b);
}

interface Built {
  readonly model: string;
  readonly weights: ReadonlyMap<string, Weight>;
}

const halfDtypes: readonly BuildDtype[] = ["fp16", "q4f16"];

it.each(
  furtherFamilies.filter(({ half }) => half === false).map((each) => [each.name, each] as const),
)("%s is not built in half precision, in which it would make infinities", async (_, { config }) => {
  const parent = await temporaryFolder();
  const checkpoint = join(parent, "checkpoint");
  await writeCheckpoint(checkpoint, config, randomWeights(config, "F32", 1), "F32");
  const out = join(parent, "model");
  for (const dtype of halfDtypes) {
    for (const asked of [{ dtypes: [dtype] }, { dtypes: ["q4", dtype] as const, randomSeed: 1 }]) {
      await expect(buildModel({ checkpoint, out, ...asked })).rejects.toMatchObject({
        code: "MODEL_UNSUPPORTED",
        message: expect.stringMatching(
          `^${dtype} computes in half precision\\. .*: choose fp32, q8 or q4\\.$`,
        ),
      });
    }
  }
  expect(await readdir(parent)).toEqual(["checkpoint"]);
});
