import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createInlineGenerator } from "@streamgauge/runtime";
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, it } from "vitest";

import {
  buildModel,
  buildRandomModel,
  type BuildProgress,
  type LlamaShape,
} from "../src/onnx/index.js";
import { emptyCache, openGreedyReference, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

const pequod = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));

const tiny: LlamaShape = {
  vocabularySize: 96,
  hiddenSize: 32,
  intermediateSize: 48,
  layers: 2,
  attentionHeads: 4,
  keyValueHeads: 2,
  headDimension: 16,
  contextLength: 64,
  normEpsilon: 1e-6,
  ropeTheta: 10_000,
  tiedEmbeddings: false,
};

const modelIn = (folder: string): string => join(folder, "onnx", "model.onnx");

async function hashOf(folder: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(modelIn(folder)))
    .digest("hex");
}

/** Replaces the weights of a checkpoint by a header, which says it is as long as this. */
function withHeader(claimedBytes: number | undefined, header: object) {
  return async (copy: string): Promise<string> => {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(claimedBytes ?? json.length));
    const weights = Buffer.concat([length, json, Buffer.alloc(16)]);
    await writeFile(join(copy, "model.safetensors"), weights);
    return copy;
  };
}

/** Replaces a piece of a checkpoint's configuration. */
function withConfig(piece: string, other: string) {
  return async (copy: string): Promise<string> => {
    const path = join(copy, "config.json");
    await writeFile(path, (await readFile(path, "utf8")).replace(piece, other));
    return copy;
  };
}

describe("buildModel", () => {
  it("makes the layout transformers.js reads, and reports its progress", async () => {
    const parent = await temporaryFolder();
    const out = join(parent, "deep", "pequod");
    const progress: BuildProgress[] = [];
    await buildModel({ checkpoint: pequod, out, onProgress: (step) => progress.push(step) });

    expect((await readdir(out)).toSorted()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await readdir(join(parent, "deep"))).toEqual(["pequod"]);
    const last = progress.at(-1);
    expect(last?.writtenBytes).toBe(last?.totalBytes);
    expect((await readFile(modelIn(out))).length).toBe(last?.totalBytes);
  });

  it("replaces an earlier build", async () => {
    const out = join(await temporaryFolder(), "model");
    await buildRandomModel({ shape: tiny, seed: 1, out });
    await buildModel({ checkpoint: pequod, out });
    expect(await readdir(out)).toContain("tokenizer.json");
  });

  it.each([
    ["a checkpoint that is not there", "MODEL_NOT_FOUND", async () => "no/such/checkpoint"],
    [
      "weights that are cut off",
      "MODEL_CORRUPT",
      async (copy: string) => {
        await truncate(join(copy, "model.safetensors"), 1_000_000);
        return copy;
      },
    ],
    ["a header of 100 MB", "MODEL_CORRUPT", withHeader(100_000_000, {})],
    [
      "a header that lies about offsets",
      "MODEL_CORRUPT",
      withHeader(undefined, {
        "model.norm.weight": { dtype: "F32", shape: [4], data_offsets: [1_000_000, 1_000_016] },
      }),
    ],
    [
      "weights of another shape, found in the middle",
      "MODEL_CORRUPT",
      withConfig('"intermediate_size": 768', '"intermediate_size": 512'),
    ],
    [
      "a missing tensor",
      "MODEL_CORRUPT",
      withConfig('"tie_word_embeddings": true', '"tie_word_embeddings": false'),
    ],
  ])("leaves nothing behind after %s", async (_, code, spoil) => {
    const parent = await temporaryFolder();
    const copy = join(await temporaryFolder(), "copy");
    await cp(pequod, copy, { recursive: true });
    const checkpoint = await spoil(copy);
    const out = join(parent, "model");
    await expect(buildModel({ checkpoint, out })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(checkpoint),
    });
    expect(await readdir(parent)).toEqual([]);

    // Nor is an earlier build touched.
    await buildRandomModel({ shape: tiny, seed: 1, out });
    const before = await hashOf(out);
    await expect(buildModel({ checkpoint, out })).rejects.toMatchObject({ code });
    expect(await hashOf(out)).toBe(before);
    expect(await readdir(parent)).toEqual(["model"]);
  });

  it("leaves nothing behind when the progress callback throws", async () => {
    const parent = await temporaryFolder();
    const onProgress = (): never => {
      throw new Error("enough");
    };
    const building = buildModel({ checkpoint: pequod, out: join(parent, "model"), onProgress });
    await expect(building).rejects.toThrow("enough");
    expect(await readdir(parent)).toEqual([]);
  });

  it("leaves nothing behind when it is aborted, and says by what", async () => {
    const parent = await temporaryFolder();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const files = new Set<string>();
    const building = buildModel({
      checkpoint: pequod,
      out: join(parent, "model"),
      dtypes: ["fp32", "q4"],
      signal: controller.signal,
      onProgress: ({ file }) => {
        files.add(file);
        if (file === "model_q4.onnx") controller.abort(reason);
      },
    });
    await expect(building).rejects.toBe(reason);
    expect([...files]).toEqual(["model.onnx", "model_q4.onnx"]);
    expect(await readdir(parent)).toEqual([]);
    const again = buildModel({
      checkpoint: pequod,
      out: join(parent, "model"),
      signal: controller.signal,
    });
    await expect(again).rejects.toBe(reason);
    expect(await readdir(parent)).toEqual([]);
  });

  it("deletes nothing that is not its own", async () => {
    const out = await temporaryFolder();
    await mkdir(join(out, "thesis"));
    await expect(buildModel({ checkpoint: pequod, out })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/holds thesis/),
    });
    // A checkpoint is not built over itself either.
    const copy = join(out, "copy");
    await cp(pequod, copy, { recursive: true });
    await expect(buildModel({ checkpoint: copy, out: copy })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    const file = join(out, "a-file");
    await writeFile(file, "");
    await expect(buildModel({ checkpoint: pequod, out: file })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});

describe("buildModel with random weights", () => {
  it("needs a config.json only, and runs", async () => {
    const parent = await temporaryFolder();
    const checkpoint = join(parent, "checkpoint");
    await mkdir(checkpoint);
    await cp(join(pequod, "config.json"), join(checkpoint, "config.json"));
    const out = join(parent, "model");
    await buildModel({ checkpoint, out, randomSeed: 3 });
    await using generator = await createInlineGenerator({ model: out, threads: 1 });
    const { ids } = await generator.generate([1, 2, 3], { maxTokens: 4, ignoreEos: true });
    expect(ids).toHaveLength(4);
    await expect(buildModel({ checkpoint, out: join(parent, "no") })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
  });
});

describe("buildRandomModel", () => {
  it("gives the same bytes for the same seed, and others for another", async () => {
    const parent = await temporaryFolder();
    const [a, b, c] = ["a", "b", "c"].map((name) => join(parent, name)) as [string, string, string];
    await buildRandomModel({ shape: tiny, seed: 7, out: a });
    await buildRandomModel({ shape: tiny, seed: 7, out: b });
    await buildRandomModel({ shape: tiny, seed: 8, out: c });
    expect(await hashOf(a)).toBe(await hashOf(b));
    expect(await hashOf(a)).not.toBe(await hashOf(c));
  });

  it.each([true, false])("runs, with tied embeddings: %s", async (tiedEmbeddings) => {
    const out = join(await temporaryFolder(), "model");
    await buildRandomModel({ shape: { ...tiny, tiedEmbeddings }, seed: 3, out });
    const session = await InferenceSession.create(modelIn(out));
    const { logits } = await session.run({ ...tokenFeeds([1, 2, 3], 3), ...emptyCache(session) });
    expect(logits!.dims).toEqual([1, 3, 96]);
    expect((logits!.data as Float32Array).every(Number.isFinite)).toBe(true);
    await session.release();
  });

  it("decodes the same whether the cache is fed back or the prompt is fed again", async () => {
    const out = join(await temporaryFolder(), "model");
    await buildRandomModel({ shape: tiny, seed: 5, out });
    const reference = await openGreedyReference(out);
    const prompt = [5, 17, 80];
    const ids = await reference.greedy(prompt, 20);
    for (let count = 0; count < ids.length; count++) {
      const [again] = await reference.greedy([...prompt, ...ids.slice(0, count)], 1);
      expect(again).toBe(ids[count]);
    }
    await reference.release();
  });

  it.each<[object, string, RegExp]>([
    [{ seed: 0.5 }, "INVALID_OPTION", /seed is 0\.5/],
    [{ seed: 2 ** 32 }, "INVALID_OPTION", /seed is 4294967296/],
    [{ shape: { ...tiny, layers: 0 } }, "INVALID_OPTION", /num_hidden_layers is 0/],
    [
      { shape: { ...tiny, headNorms: true, attentionBias: "inputs" } },
      "INVALID_OPTION",
      /headNorms/,
    ],
    [{ dtypes: ["fp8"] }, "INVALID_OPTION", /dtypes is \["fp8"\]; it must be a list/],
    [{ dtypes: [] }, "INVALID_OPTION", /dtypes is \[\]; it must be a list/],
    [{ dtypes: "q4" }, "INVALID_OPTION", /dtypes is "q4"; it must be a list/],
    [{ dtype: "q4" }, "INVALID_OPTION", /Unknown option "dtype".*dtypes/],
    [{ externalData: "auto" }, "INVALID_OPTION", /externalData is "auto"/],
    [
      { shape: { ...tiny, vocabularySize: 2 ** 25 }, externalData: false },
      "MODEL_UNSUPPORTED",
      /Leave externalData out/,
    ],
  ])("refuses %j", async (changes, code, message) => {
    const parent = await temporaryFolder();
    const out = join(parent, "model");
    const building = buildRandomModel({ shape: tiny, seed: 1, out, ...changes });
    await expect(building).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await readdir(parent)).toEqual([]);
  });
});
