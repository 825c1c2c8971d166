import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isStreamgaugeError, type ErrorCode } from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  embeddedModel,
  pacedModel,
  type Runtime,
} from "@streamgauge/runtime";
import { buildRandomModel } from "@streamgauge/runtime/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ElementType, encodeModelHeader, type GraphValue } from "../src/onnx/protobuf.js";
import { temporaryFolder } from "./temporary-folder.js";
import { tinyShape } from "./tiny-shape.js";

async function failureOf(call: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  return await call.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => {
      if (isStreamgaugeError(error)) return { code: error.code, message: error.message };
      throw error;
    },
  );
}

describe("createRuntime refuses", () => {
  it.each<[string, object, RegExp]>([
    ["no workers", { workers: 0 }, /workers is 0; it must be an integer ≥ 1/],
    ["half a worker", { workers: 1.5 }, /workers is 1.5/],
    ["NaN threads", { threads: Number.NaN }, /threads is NaN/],
    ["negative threads", { threads: -1 }, /threads is -1/],
    ["a ring of three slots", { ring: { capacity: 3 } }, /power of two/],
    ["an unknown option", { worker: 2 }, /Unknown option "worker".*workers/],
    ["a model that is a number", { model: 5 }, /model is 5; it must be a folder/],
    ["a model that is null", { model: null }, /model is null/],
    [
      "a model on the web",
      { model: new URL("https://example.org/model") },
      /model is https:\/\/example\.org\/model, which leads to no folder.*"hub:owner\/name"/,
    ],
    ["an unknown dtype", { dtype: "q5" }, /dtype is "q5"; it must be one of fp32, fp16/],
    [
      "weights for the paced model",
      { model: pacedModel({ stepMicroseconds: 1 }), dtype: "q4" },
      /no weights: leave dtype out/,
    ],
    [
      "threads for the paced model",
      { model: pacedModel({ stepMicroseconds: 1 }), threads: 2 },
      /computes nothing that threads could share: leave threads out/,
    ],
  ])("%s", async (_, options, message) => {
    const failure = await failureOf(createRuntime(options));
    expect(failure.code).toBe("INVALID_OPTION");
    expect(failure.message).toMatch(message);
  });
});

describe("a model folder is refused", () => {
  async function damage(change: (folder: string) => Promise<unknown>): Promise<string> {
    const copy = join(await temporaryFolder(), "model");
    await cp(embeddedModel, copy, { recursive: true });
    await change(copy);
    return copy;
  }

  async function editConfig(folder: string, change: object): Promise<void> {
    const file = join(folder, "config.json");
    const config = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...config, ...change }));
  }

  const graphFile = (folder: string): string => join(folder, "onnx", "model.onnx");

  it.each<[string, ErrorCode, RegExp, (folder: string) => Promise<unknown>]>([
    [
      "without a folder",
      "MODEL_NOT_FOUND",
      /no model folder at .*model/,
      (folder) => rm(folder, { recursive: true }),
    ],
    [
      "without config.json",
      "MODEL_NOT_FOUND",
      /config\.json/,
      (folder) => rm(join(folder, "config.json")),
    ],
    [
      "without a graph",
      "MODEL_NOT_FOUND",
      /none of onnx.model\.onnx, onnx.decoder_model_merged\.onnx, model\.onnx, decoder_model_merged\.onnx\./,
      (folder) => rm(graphFile(folder)),
    ],
    [
      "that is a file",
      "MODEL_NOT_FOUND",
      /no model folder at/,
      async (folder) => {
        await rm(folder, { recursive: true });
        await writeFile(folder, "");
      },
    ],
    [
      "with the graph of another dtype",
      "MODEL_NOT_FOUND",
      /none of onnx.model\.onnx, .*The folder has the model as q4f16: choose one/,
      (folder) => rename(graphFile(folder), join(folder, "onnx", "model_q4f16.onnx")),
    ],
    [
      "with half a config.json",
      "MODEL_CORRUPT",
      /config\.json is .*JSON/,
      (folder) => writeFile(join(folder, "config.json"), '{"vocab'),
    ],
    [
      "with a config.json of no object",
      "MODEL_CORRUPT",
      /config\.json/,
      (folder) => writeFile(join(folder, "config.json"), "7"),
    ],
    [
      "with no vocabulary size",
      "MODEL_CORRUPT",
      /vocab_size/,
      (folder) => editConfig(folder, { vocab_size: "many" }),
    ],
    [
      "with more positions than any model has",
      "MODEL_CORRUPT",
      /"max_position_embeddings" \(an integer from 1 to 16777216, not 1000000000000\)/,
      (folder) => editConfig(folder, { max_position_embeddings: 1e12 }),
    ],
    [
      "with half a tokenizer.json",
      "MODEL_CORRUPT",
      /tokenizer\.json/,
      (folder) => writeFile(join(folder, "tokenizer.json"), '{"version"'),
    ],
    [
      "with a truncated graph",
      "MODEL_CORRUPT",
      /model\.onnx/,
      async (folder) => {
        const graph = await readFile(graphFile(folder));
        await writeFile(graphFile(folder), graph.subarray(0, graph.length >> 1));
      },
    ],
    [
      "with noise for a graph",
      "MODEL_CORRUPT",
      /model\.onnx/,
      (folder) => writeFile(graphFile(folder), "this is no graph"),
    ],
    [
      "with an empty graph",
      "MODEL_CORRUPT",
      /model\.onnx/,
      (folder) => writeFile(graphFile(folder), ""),
    ],
    [
      "with a tokenizer that fails at any text",
      "MODEL_UNSUPPORTED",
      /tokenizer\.json cannot be used: /,
      async (folder) => {
        const file = join(folder, "tokenizer.json");
        const tokenizer = JSON.parse(await readFile(file, "utf8")) as object;
        const post_processor = { type: "TemplateProcessing" };
        await writeFile(file, JSON.stringify({ ...tokenizer, post_processor }));
      },
    ],
    [
      "with a graph of other inputs",
      "MODEL_UNSUPPORTED",
      /no input input_ids; .*no input attention_mask; .*no output logits; its input x is none that/,
      (folder) => writeFile(graphFile(folder), identityGraph()),
    ],
  ])("%s", async (_, code, message, change) => {
    const folder = await damage(change);
    const model = pathToFileURL(folder);
    for (const open of [
      () => createRuntime({ model, workers: 2 }),
      () => createInlineGenerator({ model }),
    ]) {
      const failure = await failureOf(open());
      expect(failure.code).toBe(code);
      expect(failure.message).toMatch(message);
    }
  });
});

describe("a running generator", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.close());

  it.each<[string, Parameters<Runtime["generate"]>, ErrorCode, RegExp]>([
    [
      "an id out of the vocabulary",
      [[1, 2048]],
      "INVALID_PROMPT",
      /Id 2048 at position 1 of prompt.*0 to 2047/,
    ],
    ["a negative id", [[-1]], "INVALID_PROMPT", /position 0 is -1/],
    ["an empty prompt", [""], "INVALID_PROMPT", /empty/],
    ["no ids", [[]], "INVALID_PROMPT", /empty/],
    [
      "a prompt longer than the context",
      [Array<number>(1024).fill(5)],
      "PROMPT_TOO_LONG",
      /1024 tokens.*shorten the prompt to 1023/,
    ],
    ["a long text", ["whale ".repeat(3000)], "PROMPT_TOO_LONG", /shorten/],
    [
      "a stop id out of the vocabulary",
      ["a", { stopTokenIds: [3, 9999] }],
      "INVALID_CONFIG",
      /Id 9999 at position 1 of stopTokenIds/,
    ],
    ["NaN", ["a", { temperature: Number.NaN }], "INVALID_CONFIG", /temperature/],
    ["a negative count", ["a", { maxTokens: -4 }], "INVALID_CONFIG", /maxTokens/],
  ])("rejects %s, while another stream goes on", async (_, call, code, message) => {
    const other = runtime.generateStream("It is not", () => undefined, { maxTokens: 30 });
    const failure = await failureOf(runtime.generate(...call));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    expect((await other).ids).toHaveLength(30);
    expect((await runtime.generate("a", { maxTokens: 2 })).ids).toHaveLength(2);
  });

  it("takes the longest prompt there is room for", async () => {
    const longest = await runtime.generate(Array<number>(1023).fill(5), { maxTokens: 9 });
    expect(longest.usage).toEqual({
      promptTokens: 1023,
      completionTokens: 1,
      producedTokens: 1,
      cachedTokens: 0,
    });
  });
});

describe("a model without a tokenizer", () => {
  it("takes token ids, gives ids without text, and refuses text with the remedy", async () => {
    const model = join(await temporaryFolder(), "model");
    await buildRandomModel({ shape: tinyShape, seed: 1, out: model });
    await using generator = await createInlineGenerator({ model });
    const { ids, text } = await generator.generate([1, 2, 3], { maxTokens: 5 });
    expect(ids).toHaveLength(5);
    expect(text).toBe("");
    const failure = await failureOf(generator.generate("Call me"));
    expect(failure.code).toBe("INVALID_PROMPT");
    expect(failure.message).toMatch(/no tokenizer: give token ids/);
  });
});

/** A valid ONNX model that is no decoder: y = Identity(x). */
function identityGraph(): Uint8Array {
  const value = (name: string): GraphValue => ({
    name,
    type: { element: ElementType.float32, dimensions: [1] },
  });
  const graph = {
    name: "identity",
    nodes: [{ name: "same", operator: "Identity", inputs: ["x"], outputs: ["y"], attributes: {} }],
    inputs: [value("x")],
    outputs: [value("y")],
  };
  return encodeModelHeader(graph, 0, {
    irVersion: 10,
    producer: "test",
    operatorSets: { "": 21 },
  });
}
