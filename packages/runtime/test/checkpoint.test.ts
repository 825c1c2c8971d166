import { readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createInlineGenerator, createRuntime } from "@streamgauge/runtime";
import { buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { describe, expect, it } from "vitest";

import { describeDtypes } from "../src/onnx/build/dtype-config.js";
import {
  randomWeights,
  writeCheckpoint,
  type CheckpointConfig,
  type Weight,
} from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";

const config: CheckpointConfig = {
  architectures: ["Qwen3ForCausalLM"],
  model_type: "qwen3",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 16,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};
const at = "model.layers.0";
const weight = (value: number): Weight => ({ shape: [1], values: Float32Array.of(value) });

interface Case {
  readonly config?: object;
  readonly weights?: (weights: Map<string, Weight>) => unknown;
  readonly files?: (folder: string) => Promise<unknown>;
  readonly dtypes?: readonly BuildDtype[];
}

const editIndex =
  (edit: (map: Record<string, unknown>) => unknown) =>
  async (folder: string): Promise<void> => {
    const path = join(folder, "model.safetensors.index.json");
    const index = JSON.parse(await readFile(path, "utf8")) as {
      weight_map: Record<string, unknown>;
    };
    edit(index.weight_map);
    await writeFile(path, JSON.stringify(index));
  };
const shard = (number: number): string => `model-0000${number}-of-00002.safetensors`;
const norm = "model.norm.weight";

describe("a checkpoint in two files is refused", () => {
  it.each<[string, string, RegExp, Case]>([
    [
      "without a file that the index names",
      "MODEL_NOT_FOUND",
      /model-00002-of-00002\.safetensors cannot be opened/,
      { files: (folder) => rm(join(folder, shard(2))) },
    ],
    [
      "without any weights",
      "MODEL_NOT_FOUND",
      /neither model\.safetensors nor model\.safetensors\.index\.json/,
      { files: (folder) => rm(join(folder, "model.safetensors.index.json")) },
    ],
    [
      "with half an index",
      "MODEL_CORRUPT",
      /index\.json is damaged: it is not JSON/,
      { files: (folder) => writeFile(join(folder, "model.safetensors.index.json"), '{"weight') },
    ],
    [
      "with an index of something else",
      "MODEL_CORRUPT",
      /index\.json is damaged: it has no weight_map/,
      { files: (folder) => writeFile(join(folder, "model.safetensors.index.json"), "{}") },
    ],
    [
      "with an index that leads out of the folder",
      "MODEL_CORRUPT",
      /puts tensor model\.norm\.weight into "\.\.\/elsewhere\.safetensors"/,
      { files: editIndex((map) => (map[norm] = "../elsewhere.safetensors")) },
    ],
    [
      "with an index that names no file",
      "MODEL_CORRUPT",
      /puts tensor model\.norm\.weight into 7/,
      { files: editIndex((map) => (map[norm] = 7)) },
    ],
    [
      "with an index that names the wrong file",
      "MODEL_CORRUPT",
      /which does not hold it/,
      { files: editIndex((map) => (map[norm] = map[norm] === shard(1) ? shard(2) : shard(1))) },
    ],
    [
      "with a tensor twice",
      "MODEL_CORRUPT",
      /Tensor .* is in .*00001.* and in .*00002/,
      {
        files: async (folder) =>
          writeFile(join(folder, shard(2)), await readFile(join(folder, shard(1)))),
      },
    ],
    [
      "with a file cut off",
      "MODEL_CORRUPT",
      /00002-of-00002\.safetensors is damaged/,
      { files: (folder) => truncate(join(folder, shard(2)), 2000) },
    ],
    [
      "without a tensor",
      "MODEL_CORRUPT",
      /tensor model\.layers\.0\.self_attn\.k_norm\.weight is missing.*implies \[16\]/,
      { weights: (weights) => weights.delete(`${at}.self_attn.k_norm.weight`) },
    ],
    [
      "with a tensor of another shape",
      "MODEL_CORRUPT",
      /00\d-of-00002\.safetensors: tensor model\.norm\.weight is \[1\].*implies \[16\]/,
      { weights: (weights) => weights.set(norm, weight(1)) },
    ],
    [
      "with a tensor that the graph would leave out",
      "MODEL_UNSUPPORTED",
      /tensor model\.layers\.0\.self_attn\.q_proj\.bias is no part of the model/,
      { weights: (weights) => weights.set(`${at}.self_attn.q_proj.bias`, weight(1)) },
    ],
    [
      "with layers that the configuration does not have",
      "MODEL_UNSUPPORTED",
      /tensor model\.layers\.1\.\S+ is no part/,
      {
        weights: (weights) => weights.set("model.layers.1.mlp.up_proj.weight", weight(1)),
      },
    ],
    [
      "with NaN for a weight",
      "MODEL_CORRUPT",
      /tensor model\.norm\.weight holds NaN/,
      { weights: (weights) => (weights.get(norm)!.values[3] = NaN) },
    ],
    [
      "with an infinite weight",
      "MODEL_CORRUPT",
      /tensor model\.embed_tokens\.weight holds -Infinity/,
      {
        dtypes: ["q4"],
        weights: (weights) => (weights.get("model.embed_tokens.weight")!.values[7] = -Infinity),
      },
    ],
    ...(["fp16", "q4f16"] as const).map((dtype): [string, string, RegExp, Case] => [
      `with a weight beyond half precision, in ${dtype}`,
      "MODEL_UNSUPPORTED",
      /Tensor model\.layers\.0\.mlp\.up_proj\.weight holds 70000, and half precision ends at 65504/,
      {
        dtypes: [dtype],
        weights: (weights) => (weights.get(`${at}.mlp.up_proj.weight`)!.values[3] = 70_000),
      },
    ]),
    [
      "of an unknown architecture",
      "MODEL_UNSUPPORTED",
      /"MambaForCausalLM"/,
      {
        config: { architectures: ["MambaForCausalLM"] },
      },
    ],
  ])("%s", async (_, code, message, { files, weights: edit, dtypes, ...changes }) => {
    const checkpoint = join(await temporaryFolder(), "checkpoint");
    const parent = await temporaryFolder();
    const weights = randomWeights(config, "F32", 5);
    edit?.(weights);
    await writeCheckpoint(checkpoint, { ...config, ...changes.config }, weights, "F32", 2);
    await files?.(checkpoint);
    const building = buildModel({
      checkpoint,
      out: join(parent, "model"),
      dtypes: dtypes ?? ["fp32"],
    });
    await expect(building).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await readdir(parent)).toEqual([]);
  });
});

describe("a checkpoint", () => {
  it("gives the same bytes in one file and in several, whatever lies beside its weights", async () => {
    const parent = await temporaryFolder();
    const weights = randomWeights(config, "BF16", 5);
    await writeCheckpoint(join(parent, "one"), config, weights, "BF16");
    // A tied head is the embedding, and frequencies follow from the configuration.
    weights.set("lm_head.weight", weights.get("model.embed_tokens.weight")!);
    weights.set(`${at}.self_attn.rotary_emb.inv_freq`, weight(1));
    await writeCheckpoint(join(parent, "three"), config, weights, "BF16", 3);
    const graphs = await Promise.all(
      ["one", "three"].map(async (name) => {
        const out = join(parent, `${name}-model`);
        await buildModel({ checkpoint: join(parent, name), out, dtypes: ["q8"] });
        return readFile(join(out, "onnx", "model_quantized.onnx"));
      }),
    );
    expect(graphs[0]!.equals(graphs[1]!)).toBe(true);
  });

  it("gives the same bytes inside a graph and beside it, on pages", async () => {
    const parent = await temporaryFolder();
    const weights = randomWeights(config, "F32", 5);
    await writeCheckpoint(join(parent, "checkpoint"), config, weights, "F32");
    const out = join(parent, "model");
    await buildModel({ checkpoint: join(parent, "checkpoint"), out, externalData: true });
    expect((await readdir(join(out, "onnx"))).toSorted()).toEqual([
      "model.onnx",
      "model.onnx_data",
    ]);
    const data = await readFile(join(out, "onnx", "model.onnx_data"));
    const embedding = weights.get("model.embed_tokens.weight")!.values;
    const found = Array.from({ length: data.length / 4096 }, (_, page) =>
      data.subarray(page * 4096, page * 4096 + embedding.byteLength),
    ).filter((bytes) => bytes.equals(new Uint8Array(embedding.buffer)));
    expect(found).toHaveLength(1);
  });
});

describe("external data", () => {
  it.each([
    ["cut off", (file: string) => truncate(file, 5000)],
    ["gone", (file: string) => rm(file)],
    ["empty", (file: string) => truncate(file, 0)],
  ] as const)("that are %s are refused, and the process lives", async (_, spoil) => {
    const parent = await temporaryFolder();
    await writeCheckpoint(join(parent, "c"), config, randomWeights(config, "F32", 5), "F32");
    const model = join(parent, "model");
    await buildModel({ checkpoint: join(parent, "c"), out: model, externalData: true });
    await (await createInlineGenerator({ model })).close();
    await spoil(join(model, "onnx", "model.onnx_data"));
    for (const open of [() => createInlineGenerator({ model }), () => createRuntime({ model })]) {
      await expect(open()).rejects.toMatchObject({
        code: "MODEL_CORRUPT",
        message: expect.stringMatching(/cannot load .*model\.onnx/),
      });
    }
  });
});

describe("config.json", () => {
  const built = [{ dtype: "fp32", files: 1 }] as const;

  it("stays as it is when there is nothing to tell", () => {
    const text = '{ "model_type": "llama",\n "rope_theta": 10000.0 }';
    expect(describeDtypes(text, built)).toBe(text);
  });

  it("keeps what was said of other things, not of other files", () => {
    const before = {
      model_type: "llama",
      "transformers.js_config": {
        dtype: "q8",
        use_external_data_format: true,
        kv_cache_dtype: { q8: "float16" },
        device_config: { webgpu: {} },
      },
    };
    expect(JSON.parse(describeDtypes(JSON.stringify(before), built))).toEqual({
      model_type: "llama",
      "transformers.js_config": { device_config: { webgpu: {} } },
    });
  });
});
