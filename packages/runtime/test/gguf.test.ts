import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { gguf } from "@huggingface/gguf";
import { createInlineGenerator } from "@streamgauge/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { float16ToFloat32 } from "../src/onnx/half-precision.js";
import {
  buildModel,
  buildRandomModel,
  type BuildProgress,
  type LlamaShape,
} from "../src/onnx/index.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { randomWeights, writeCheckpoint, type Weight } from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";

const pequod = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));

const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 320,
  hidden_size: 64,
  // Three blocks of a row, and more rows than a head has.
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 500_000,
  tie_word_embeddings: false,
  rope_scaling: {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  },
};

const types = { fp32: 0, q8: 8, q4: 2 } as const;
const files = { fp32: "model-f32.gguf", q8: "model-q8_0.gguf", q4: "model-q4_0.gguf" } as const;
const dtypes = ["fp32", "q8", "q4"] as const;

let folder: string;
let weights: Map<string, Weight>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "streamgauge-gguf-"));
  weights = randomWeights(config, "F32", 3);
  await writeCheckpoint(join(folder, "checkpoint"), config, weights, "F32");
  await buildModel({
    checkpoint: join(folder, "checkpoint"),
    out: join(folder, "gguf"),
    dtypes,
    format: "gguf",
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(path: string) {
  const { metadata, ...rest } = await gguf(path, { allowLocalFile: true });
  return { ...rest, metadata: { ...metadata } as Record<string, unknown> };
}

/** A tensor's numbers, and half of the step that each is rounded by; row after row. */
async function decoded(
  path: string,
  name: string,
): Promise<{ readonly values: number[]; readonly halfSteps: number[] }> {
  const { tensorInfos, tensorDataOffset } = await read(path);
  const info = tensorInfos.find((tensor) => tensor.name === name);
  if (info === undefined) throw new RangeError(`${name} is missing.`);
  const count = info.shape.reduce((product, size) => product * Number(size), 1);
  const stored: number = info.dtype;
  const bytes = await readFile(path);
  let at = Number(tensorDataOffset) + Number(info.offset);
  const values: number[] = [];
  const halfSteps: number[] = [];
  while (values.length < count) {
    if (stored === types.fp32) {
      values.push(bytes.readFloatLE(at));
      halfSteps.push(0);
      at += 4;
      continue;
    }
    const [scale = 0] = float16ToFloat32(Uint16Array.of(bytes.readUInt16LE(at)));
    const numbers = Array.from({ length: 32 }, (_, index) => {
      if (stored === types.q8) return bytes.readInt8(at + 2 + index);
      const byte = bytes[at + 2 + (index % 16)] ?? 0;
      return (index < 16 ? byte & 0x0f : byte >> 4) - 8;
    });
    for (const number of numbers) {
      values.push(number * scale);
      // The ends of four bits stand for everything beyond them.
      const isEnd = stored === types.q4 && (number === -8 || number === 7);
      halfSteps.push((Math.abs(scale) / 2) * (isEnd ? 4 : 1) + 1e-9);
    }
    at += stored === types.q8 ? 34 : 18;
  }
  return { values, halfSteps };
}

describe("a GGUF file", () => {
  it.each(dtypes)("says all that llama.cpp asks of a Llama, in %s", async (dtype) => {
    const { metadata, tensorInfos } = await read(join(folder, "gguf", files[dtype]));
    expect(metadata).toMatchObject({
      version: 3,
      "general.architecture": "llama",
      "general.file_type": { fp32: 0, q8: 7, q4: 2 }[dtype],
      "llama.vocab_size": 320,
      "llama.context_length": 128,
      "llama.embedding_length": 64,
      "llama.block_count": 2,
      "llama.feed_forward_length": 96,
      "llama.attention.head_count": 4,
      "llama.attention.head_count_kv": 2,
      "llama.attention.key_length": 16,
      "llama.rope.dimension_count": 16,
      "llama.rope.freq_base": 500_000,
    });
    const layer = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"].concat([
      "ffn_norm",
      "ffn_gate",
      "ffn_up",
      "ffn_down",
    ]);
    expect(tensorInfos.map(({ name }) => name).toSorted()).toEqual(
      [
        "token_embd.weight",
        "output_norm.weight",
        "output.weight",
        "rope_freqs.weight",
        ...layer.flatMap((name) => [`blk.0.${name}.weight`, `blk.1.${name}.weight`]),
      ].toSorted(),
    );
    for (const { name, dtype: type, offset, shape } of tensorInfos) {
      expect(Number(offset) % 32).toBe(0);
      expect(type).toBe(shape.length === 1 ? types.fp32 : types[dtype]);
      if (name === "token_embd.weight") expect(shape.map(Number)).toEqual([64, 320]);
    }
  });

  it.each(dtypes)("holds each weight to within half a step, in %s", async (dtype) => {
    const path = join(folder, "gguf", files[dtype]);
    for (const [name, source] of [
      ["token_embd.weight", "model.embed_tokens.weight"],
      ["blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"],
      ["blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"],
      ["output.weight", "lm_head.weight"],
    ] as const) {
      const { values, halfSteps } = await decoded(path, name);
      const expected = weights.get(source)?.values ?? new Float32Array();
      expect(values).toHaveLength(expected.length);
      const apart = values.findIndex(
        (value, index) =>
          Math.abs(value - (expected[index] as number)) > (halfSteps[index] as number),
      );
      expect(apart).toBe(-1);
    }
  });

  it("has the rows of queries and keys where llama.cpp's rotation looks for them", async () => {
    const path = join(folder, "gguf", files.fp32);
    for (const [name, source] of [
      ["blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"],
      ["blk.1.attn_k.weight", "model.layers.1.self_attn.k_proj.weight"],
    ] as const) {
      const { values } = await decoded(path, name);
      const weight = weights.get(source);
      const row = (from: ArrayLike<number>, index: number): number[] =>
        Array.from({ length: 64 }, (_, column) => from[index * 64 + column] as number);
      for (let index = 0; index < (weight?.shape[0] ?? 0); index++) {
        const [head, pair, second] = [index >> 4, (index % 16) >> 1, index % 2];
        expect(row(values, index)).toEqual(
          row(weight?.values ?? [], 16 * head + pair + 8 * second),
        );
      }
    }
  });

  it("has the tokenizer of its checkpoint, and of none placeholders", async () => {
    const out = join(folder, "pequod");
    await buildModel({ checkpoint: pequod, out, dtypes: ["q4"], format: "gguf" });
    expect((await readdir(out)).toSorted()).toEqual(["README.md", "model-q4_0.gguf"]);
    const { metadata } = await read(join(out, files.q4));
    expect(metadata).toMatchObject({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "gpt-2",
      "tokenizer.ggml.bos_token_id": 0,
      "tokenizer.ggml.eos_token_id": 0,
      "tokenizer.ggml.add_bos_token": false,
    });
    expect(metadata["tokenizer.ggml.tokens"]).toHaveLength(2048);
    const merges = metadata["tokenizer.ggml.merges"] as string[];
    expect(merges.slice(0, 2)).toEqual(["Ġ t", "h e"]);
    const { metadata: without } = await read(join(folder, "gguf", files.q4));
    expect(without["tokenizer.ggml.tokens"]).toHaveLength(320);
  });

  it("reports its progress, and ends where it says", async () => {
    const progress: BuildProgress[] = [];
    const out = join(folder, "progress");
    const onProgress = (step: BuildProgress): void => void progress.push(step);
    await buildModel({ checkpoint: pequod, out, dtypes: ["q8"], format: "gguf", onProgress });
    const last = progress.at(-1);
    expect(last).toMatchObject({ file: files.q8, writtenBytes: last?.totalBytes });
    expect((await stat(join(out, files.q8))).size).toBe(last?.totalBytes);
  });

  it("replaces an earlier build, and nothing else", async () => {
    const out = join(folder, "again");
    const options = { checkpoint: pequod, out, format: "gguf" } as const;
    await buildModel({ ...options, dtypes: ["fp32"] });
    await buildModel({ ...options, dtypes: ["q8"] });
    expect(await readdir(out)).not.toContain(files.fp32);
    await writeFile(join(out, "letter.txt"), "");
    await expect(buildModel({ ...options, dtypes: ["q8"] })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });

  it.each([
    [{ dtypes: ["fp16"] }, /dtypes: fp16 .*fp32, q8, q4/],
    [{ externalData: false }, /externalData is for ONNX/],
    [{ format: "ggml" }, /format.*"onnx" or "gguf"/],
  ])("refuses %j", async (options, message) => {
    const target = { checkpoint: pequod, out: join(folder, "none"), format: "gguf", ...options };
    await expect(buildModel(target as never)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ["another architecture", { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" }, /Qwen2/],
    ["biases", { attention_bias: true }, /attention_bias/],
    [
      "a rotation whose cosines are scaled",
      {
        rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32 },
      },
      /rotation/,
    ],
  ])("refuses %s by its name", async (_, change, message) => {
    const checkpoint = join(await temporaryFolder(), "checkpoint");
    const changed = { ...config, ...change };
    await writeCheckpoint(checkpoint, changed, randomWeights(changed, "F32", 1), "F32");
    const out = join(folder, "none");
    await expect(buildModel({ checkpoint, out, format: "gguf" })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['"type":"BPE"', '"type":"Unigram"', /byte-level BPE/],
    ['"use_regex":true', '"use_regex":false', /pre_tokenizer/],
    ['"normalizer":null', '"normalizer":{"type":"NFC"}', /normalizer/],
  ])("refuses a tokenizer with %s instead of %s", async (piece, other, message) => {
    const checkpoint = join(await temporaryFolder(), "checkpoint");
    await cp(pequod, checkpoint, { recursive: true });
    const path = join(checkpoint, "tokenizer.json");
    const text = JSON.stringify(JSON.parse(await readFile(path, "utf8")));
    expect(text).toContain(piece);
    await rm(path);
    await writeFile(path, text.replace(piece, other));
    const out = join(folder, "none");
    await expect(buildModel({ checkpoint, out, format: "gguf" })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(message) as string,
    });
  });

  it("refuses a shape that is no Llama", async () => {
    const shape: LlamaShape = {
      vocabularySize: 96,
      hiddenSize: 32,
      intermediateSize: 48,
      layers: 1,
      attentionHeads: 2,
      keyValueHeads: 2,
      headDimension: 16,
      contextLength: 64,
      normEpsilon: 1e-6,
      ropeTheta: 10_000,
      tiedEmbeddings: true,
      headNorms: true,
    };
    const out = join(folder, "none");
    await expect(buildRandomModel({ shape, seed: 1, out, format: "gguf" })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
    });
  });
});

const library = await import("node-llama-cpp").catch(() => undefined);

describe.skipIf(library === undefined)("llama.cpp", { timeout: 120_000 }, () => {
  async function inLlama(
    path: string,
    prompt: readonly number[],
    tokens: number,
    text?: string,
  ): Promise<{ readonly ids: number[]; readonly textIds: readonly number[] }> {
    const { getLlama, LlamaLogLevel } = library as NonNullable<typeof library>;
    const llama = await getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
    });
    try {
      const model = await llama.loadModel({ modelPath: path });
      // One thread: two that wait for each other on a busy machine take seconds for a token.
      const context = await model.createContext({ contextSize: 256, threads: 1 });
      const ids: number[] = [];
      const made = context.getSequence().evaluate(prompt as never, { yieldEogToken: true });
      for await (const id of made) {
        ids.push(id);
        if (ids.length === tokens) break;
      }
      return { ids, textIds: text === undefined ? [] : model.tokenize(text) };
    } finally {
      await llama.dispose();
    }
  }

  it("makes our ids from the same checkpoint in fp32, and splits a text as we do", async () => {
    const parent = await temporaryFolder();
    const [onnx, ggufs] = [join(parent, "onnx"), join(parent, "gguf")];
    await buildModel({ checkpoint: pequod, out: onnx });
    await buildModel({ checkpoint: pequod, out: ggufs, format: "gguf" });
    await using own = await createInlineGenerator({ model: onnx });
    const options = { maxTokens: 64, temperature: 0, ignoreEos: true };
    const text = "Ishmael: 1851, the year!\n\n  Café naïve — it's 3,14…\tEnd";
    const prompt = [72, 298, 312, 1615, 268, 260, 1888, 275];
    const { ids, textIds } = await inLlama(join(ggufs, files.fp32), prompt, 64, text);
    expect(ids).toEqual((await own.generate(prompt, options)).ids);
    const tokenizer = await loadTokenizer(pequod);
    expect(textIds).toEqual(tokenizer.encode(text));
  });

  it("makes our ids with stretched rotation and a head of its own", async () => {
    const onnx = join(folder, "onnx");
    await buildModel({ checkpoint: join(folder, "checkpoint"), out: onnx });
    await using own = await createInlineGenerator({ model: onnx });
    const prompt = Array.from({ length: 40 }, (_, index) => (index * 37) % 320);
    const { ids } = await inLlama(join(folder, "gguf", files.fp32), prompt, 24);
    const options = { maxTokens: 24, temperature: 0, ignoreEos: true };
    expect(ids).toEqual((await own.generate(prompt, options)).ids);
  });

  it.each(["q8", "q4"] as const)(
    "opens %s and begins with our ids: they may part by rounding later",
    async (dtype) => {
      const parent = await temporaryFolder();
      const [onnx, ggufs] = [join(parent, "onnx"), join(parent, "gguf")];
      await buildModel({ checkpoint: pequod, out: onnx, dtypes: [dtype] });
      await buildModel({ checkpoint: pequod, out: ggufs, dtypes: [dtype], format: "gguf" });
      await using own = await createInlineGenerator({ model: onnx });
      const prompt = [72, 298, 312, 1615, 268, 260, 1888, 275, 376, 298];
      const options = { maxTokens: 12, temperature: 0, ignoreEos: true };
      const { ids } = await inLlama(join(ggufs, files[dtype]), prompt, 12);
      expect(ids).toEqual((await own.generate(prompt, options)).ids);
    },
  );
});
