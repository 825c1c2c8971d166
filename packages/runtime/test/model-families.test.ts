import { join } from "node:path";

import { createInlineGenerator } from "@streamgauge/runtime";
import { buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, it } from "vitest";

import { quantiseRows } from "../src/onnx/build/block-quantisation.js";
import { roundToFloat16 } from "../src/onnx/half-precision.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { forward, multiplyBy, type ForwardOptions } from "./forward-reference.js";
import { emptyCache, tokenFeeds } from "./greedy-reference.js";
import { dequantise, roundActivations } from "./quantised-reference.js";
import {
  randomWeights,
  writeCheckpoint,
  type CheckpointConfig,
  type SourceType,
  type Weight,
} from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";

const llama: CheckpointConfig = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 80,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};

/** Frequencies kept, blended and slowed: their wavelengths are 6, 20, 63 and more. */
const rope_scaling = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
};

const qwen2 = { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" };
const qwen3 = { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" };

const families: readonly [string, CheckpointConfig, SourceType, shards: number][] = [
  ["Llama, from bf16", llama, "BF16", 1],
  [
    "Llama 3, untied, in three files",
    { ...llama, rope_scaling, tie_word_embeddings: false },
    "F32",
    3,
  ],
  ["Llama with every bias, from fp16", { ...llama, attention_bias: true }, "F16", 1],
  ["Qwen2, one key for all heads", { ...llama, ...qwen2, num_key_value_heads: 1 }, "BF16", 2],
  ["Qwen2, untied", { ...llama, ...qwen2, tie_word_embeddings: false }, "F32", 1],
  ["Qwen3, wide heads", { ...llama, ...qwen3, head_dim: 32, rope_theta: 1e6 }, "BF16", 1],
  // Rows of 40 and 72 end in padded blocks.
  [
    "Qwen3, widths that blocks do not fit",
    { ...llama, ...qwen3, hidden_size: 40, intermediate_size: 72 },
    "F32",
    1,
  ],
];

const ids = [3, 41, 7, 7, 79, 0, 12, 55, 23, 64, 1, 38];

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

describe.each(families)("%s", (_, config, type, shards) => {
  it.each(Object.keys(bounds) as BuildDtype[])("computes its logits in %s", async (dtype) => {
    const parent = await temporaryFolder();
    const weights = randomWeights(config, type, 7);
    await writeCheckpoint(join(parent, "checkpoint"), config, weights, type, shards);
    const out = join(parent, "model");
    await buildModel({ checkpoint: join(parent, "checkpoint"), out, dtypes: [dtype] });
    const expected = forward(config, ids, referenceOptions(weights, dtype));

    const session = await InferenceSession.create(join(out, "onnx", graphFileName(dtype)));
    const feeds = { ...tokenFeeds(ids, ids.length), ...emptyCache(session) };
    const { logits } = await session.run(feeds, ["logits"]);
    await session.release();
    const found = logits!.data as Float32Array;
    const errors = expected
      .map((row, position) => {
        const error = row.map((logit, id) => logit - found[position * row.length + id]!);
        return rootMeanSquare(error) / rootMeanSquare(row);
      })
      .toSorted((a, b) => a - b);
    const [middle, worst] = bounds[dtype];
    expect(errors[ids.length / 2]).toBeLessThan(middle);
    expect(errors.at(-1)).toBeLessThan(worst);
    expect(logits!.type).toBe("float32");
  });

  it("decodes greedily what its logits say, from the cache of this runtime", async () => {
    const parent = await temporaryFolder();
    const weights = randomWeights(config, type, 11);
    await writeCheckpoint(join(parent, "checkpoint"), config, weights, type, shards);
    const model = join(parent, "model");
    await buildModel({ checkpoint: join(parent, "checkpoint"), out: model });
    await using generator = await createInlineGenerator({ model });
    const made = await generator.generate(ids, { maxTokens: 8 });

    const options = referenceOptions(weights, "fp32");
    const sequence = [...ids];
    for (let count = 0; count < 8; count++) {
      const last = forward(config, sequence, options).at(-1)!;
      sequence.push(last.indexOf(Math.max(...last)));
    }
    expect(made.ids).toEqual(sequence.slice(ids.length));
  });
});
