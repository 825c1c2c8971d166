import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInlineGenerator, embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { expect, it } from "vitest";
import { openCheckpoint } from "../src/onnx/build/checkpoint.js";
import { parseDecoderConfig } from "../src/onnx/build/decoder-config.js";
import { buildDecoderGraph } from "../src/onnx/build/decoder-graph.js";
import { checkpointWeights } from "../src/onnx/build/weights.js";
import { writeModelFiles } from "../src/onnx/build/model-file.js";
import { layOutModel } from "../src/onnx/build/model-layout.js";
import { graphFileName, numberFormat } from "../src/onnx/model-dtype.js";
import type { Graph, GraphNode } from "../src/onnx/protobuf.js";
import { temporaryFolder } from "./temporary-folder.js";
import { tinyShape } from "./tiny-shape.js";

/** The embedded model, whose graph has rows for ids 0 to 2047, with other files. */
async function folderWith(changes: {
  readonly config?: object;
  readonly addedTokens?: readonly object[];
  readonly generation?: object;
}): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await cp(embeddedModel, folder, { recursive: true });
  const edit = async (name: string, change: (value: object) => object): Promise<void> => {
    const value = JSON.parse(await readFile(join(folder, name), "utf8")) as object;
    await writeFile(join(folder, name), JSON.stringify(change(value)));
  };
  const { config = {}, addedTokens = [], generation = {} } = changes;
  await edit("config.json", (value) => ({ ...value, ...config }));
  await edit("generation_config.json", (value) => ({ ...value, ...generation }));
  await edit("tokenizer.json", (value) => {
    const added = "added_tokens" in value ? (value.added_tokens as object[]) : [];
    return { ...value, added_tokens: [...added, ...addedTokens] };
  });
  return folder;
}

function addedToken(id: number, content: string): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, ...flags, special: true };
}

const config = { maxTokens: 12, ignoreEos: true };

async function embeddedIds(): Promise<readonly number[]> {
  await using generator = await createInlineGenerator();
  return (await generator.generate("Call me", config)).ids;
}

it("a tokenizer may have more ids than the graph: what uses one of them is refused by name", async () => {
  const model = await folderWith({ addedTokens: [addedToken(2048, "<image>")] });
  await using generator = await createInlineGenerator({ model });
  expect(generator.describe().vocabularySize).toBe(2048);
  expect((await generator.generate("Call me", config)).ids).toEqual(await embeddedIds());
  const refusals: [Promise<unknown>, string, RegExp][] = [
    [generator.generate("Call <image> me"), "INVALID_PROMPT", /Id 2048 at position \d of prompt/],
    [generator.generate([1, 2048]), "INVALID_PROMPT", /Id 2048 at position 1 of prompt/],
    [
      generator.generate("a", { stopTokenIds: [2048] }),
      "INVALID_CONFIG",
      /Id 2048 at position 0 of stopTokenIds/,
    ],
    [
      generator.generate("a", { logitBias: { 2048: 1 } }),
      "INVALID_CONFIG",
      /Id 2048 at position 0 of logitBias/,
    ],
  ];
  for (const [refused, code, message] of refusals) {
    const expected = { code, message: expect.stringMatching(message) as string };
    await expect(refused).rejects.toMatchObject(expected);
  }
});

it("ends of sequence without a row end nothing, and take no part in minTokens", async () => {
  const model = await folderWith({ generation: { eos_token_id: [2048, 1e15] } });
  await using generator = await createInlineGenerator({ model });
  const { ids } = await generator.generate("Call me", { maxTokens: 12, minTokens: 3 });
  expect(ids).toEqual(await embeddedIds());
});

it.each([100, 2047, 2049, 2112, 1 << 24, undefined])(
  "the graph's ids count, whatever config.json says: %s",
  async (vocabularySize) => {
    const model = await folderWith({ config: { vocab_size: vocabularySize } });
    await using generator = await createInlineGenerator({ model });
    expect(generator.describe().vocabularySize).toBe(2048);
    expect((await generator.generate("Call me", config)).ids).toEqual(await embeddedIds());
    expect((await generator.generate([2047], { maxTokens: 1 })).ids).toHaveLength(1);
  },
);

/** Builds the embedded model's graph in this dtype, with a change. */
async function writeChanged(
  path: string,
  dtype: BuildDtype,
  change: (graph: Graph) => Graph,
): Promise<void> {
  const folder = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
  const file = join(folder, "config.json");
  const shape = parseDecoderConfig(await readFile(file, "utf8"), file);
  const built = buildDecoderGraph(shape, numberFormat(dtype));
  const changed = { ...built, graph: { ...built.graph, ...change(built.graph) } };
  const checkpoint = await openCheckpoint(folder);
  const weights = checkpointWeights(checkpoint);
  const layout = layOutModel(path, changed, false);
  await writeModelFiles(layout, changed.tensorGroups, weights, () => undefined);
  await checkpoint.close();
}

const withoutWidth = (graph: Graph): Graph => withWidth(graph, "width");

function withWidth(graph: Graph, width: number | string): Graph {
  const outputs = graph.outputs.map((value) => {
    const { name, type } = value;
    if (name !== "logits" || type === undefined) return value;
    return { name, type: { ...type, dimensions: [...type.dimensions.slice(0, -1), width] } };
  });
  return { ...graph, outputs };
}

/** Has rows for half of the ids that it computes logits of. */
function doublingIds(graph: Graph): Graph {
  const inputs = ["input_ids", "input_ids"];
  const double = { name: "double", operator: "Add", inputs, outputs: ["doubled"] };
  const isLookup = (node: GraphNode): boolean =>
    node.operator === "Gather" && node.inputs[1] === "input_ids";
  expect(graph.nodes.some(isLookup)).toBe(true);
  const nodes = graph.nodes.map((node) =>
    isLookup(node) ? { ...node, inputs: [node.inputs[0] ?? "", "doubled"] } : node,
  );
  return { ...graph, nodes: [double, ...nodes] };
}

it("a graph that could choose ids which it cannot run is refused with the highest", async () => {
  const model = await folderWith({});
  const graph = join(model, "onnx", "model.onnx");
  for (const file of [graph, join(model, "tokenizer.json")]) await rm(file);
  await writeChanged(graph, "fp32", doublingIds);
  await expect(createInlineGenerator({ model })).rejects.toMatchObject({
    code: "MODEL_UNSUPPORTED",
    message: expect.stringMatching(/cannot run id 2047, the highest by the width/) as string,
  });
});

it("a graph of more ids than any model has is refused", async () => {
  const model = await folderWith({});
  const graph = join(model, "onnx", "model.onnx");
  await rm(graph);
  await writeChanged(graph, "fp32", (own) => withWidth(own, 2 ** 40));
  await expect(createInlineGenerator({ model })).rejects.toMatchObject({
    code: "MODEL_UNSUPPORTED",
    message: expect.stringMatching(/model\.onnx has 1099511627776 ids/) as string,
  });
});

it.each<BuildDtype>(["fp32", "fp16", "q8", "q4"])(
  "and where it does not say how wide its logits are, its rows: %s",
  async (dtype) => {
    const model = await folderWith({ config: { vocab_size: 2049 } });
    const graph = join(model, "onnx", graphFileName(dtype));
    await rm(graph, { force: true });
    await writeChanged(graph, dtype, withoutWidth);
    await using generator = await createInlineGenerator({ model, dtype });
    expect(generator.describe().vocabularySize).toBe(2048);
    expect((await generator.generate("Call me", config)).ids).toHaveLength(12);
  },
);

it("a tokenizer most of whose ids the graph has no rows for is another model's", async () => {
  const model = await folderWith({});
  await rm(join(model, "onnx"), { recursive: true });
  const small = join(await temporaryFolder(), "small");
  await buildRandomModel({
    shape: { ...tinyShape, vocabularySize: 1000 },
    seed: 1,
    out: small,
  });
  await cp(join(small, "onnx"), join(model, "onnx"), { recursive: true });
  await expect(createInlineGenerator({ model })).rejects.toMatchObject({
    code: "MODEL_UNSUPPORTED",
    message: expect.stringMatching(
      /2048 ids and the model's graph only 1000: .*same check/,
    ) as string,
  });
});

it.each([1e9, 2 ** 24, -1, 0.5, "7", null])(
  "a token's id that is none is refused by the token's name: %s",
  async (id) => {
    const model = await folderWith({ addedTokens: [addedToken(id as number, "<far>")] });
    await expect(createInlineGenerator({ model })).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringMatching(
        /tokenizer\.json is damaged: its token "<far>" has the id/,
      ) as string,
    });
  },
);

it("so is one in the vocabulary itself", async () => {
  const model = await folderWith({});
  const file = join(model, "tokenizer.json");
  const tokenizer = JSON.parse(await readFile(file, "utf8")) as { model: { vocab: object } };
  Object.assign(tokenizer.model.vocab, { far: 1e12 });
  await writeFile(file, JSON.stringify(tokenizer));
  await expect(createInlineGenerator({ model })).rejects.toMatchObject({
    code: "MODEL_CORRUPT",
    message: expect.stringMatching(/its token "far" has the id 1000000000000/) as string,
  });
});
