import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { createInlineGenerator } from "@streamgauge/runtime";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { embeddedModel } from "../src/embedded-model.js";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import {
  deltaCachePatch,
  deltaCacheShape,
  lastLogitsOutput,
  newRowsHead,
  newRowsOutput,
} from "../src/onnx/patch.js";
import { withdrawOutputs } from "../src/onnx/withdraw-outputs.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { argmaxOfLast, openGreedyReference, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

// pequod's shape
const layers = 4;
const heads = 2;
const width = 64;
const shape = { layers, heads };
const presents = Array.from({ length: layers }, (_, layer) =>
  (["key", "value"] as const).map((part) => `present.${layer}.${part}`),
).flat();

describe("the delta cache patch", () => {
  let model: Buffer;
  let session: InferenceSession;
  beforeAll(async () => {
    model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
    const patched = Buffer.concat([model, deltaCachePatch(shape)]);
    withdrawOutputs(patched, presents);
    session = await InferenceSession.create(patched, { intraOpNumThreads: 2 });
  });
  afterAll(() => session.release());

  it("is seen by the summary of the concatenated bytes", () => {
    const before = readGraphSummary(model, "model.onnx");
    const patched = Buffer.concat([model, deltaCachePatch(shape)]);
    const after = readGraphSummary(patched, "model.onnx");
    expect(deltaCacheShape(before)).toEqual(shape);
    expect(before.operatorSets).toEqual(after.operatorSets);
    expect(after.outputs).toEqual([...before.outputs, lastLogitsOutput, newRowsOutput]);
  });

  it.each([
    ["a buffer with room to spare", 160, [Infinity]],
    ["a buffer filled to its last row", 69, [Infinity]],
    ["a prompt fed in chunks", 160, [4, 1, 3, Infinity]],
  ])("gives the same greedy ids from %s", async (_, capacity, chunks) => {
    const tokenizer = await loadTokenizer(embeddedModel);
    const prompt = tokenizer.encode("The whale came up, and the captain said").slice(0, 10);
    expect(prompt).toHaveLength(10);
    const count = 60;
    const reference = await openGreedyReference(embeddedModel);
    const expected = await reference.greedy(prompt, count);
    await reference.release();

    // Rows that are not valid yet are poisoned: one that is read shows in every logit.
    const buffers = new Map<string, Float32Array>();
    for (const name of presents) {
      buffers.set(
        name.replace("present.", ""),
        new Float32Array(heads * capacity * width).fill(NaN),
      );
    }
    let valid = 0;
    const step = async (ids: readonly number[]): Promise<number> => {
      const feeds = tokenFeeds(ids, valid + ids.length);
      for (const [name, data] of buffers) {
        feeds[`past_key_values.${name}`] = new Tensor("float32", data, [1, heads, capacity, width]);
      }
      const outputs = await session.run(feeds, [lastLogitsOutput, newRowsOutput]);
      const rows = outputs[newRowsOutput]!;
      expect(rows.dims).toEqual([1, 2 * layers * heads, ids.length, width]);
      for (const [name, data] of buffers) {
        const [layer, part] = name.split(".") as [string, "key" | "value"];
        for (let head = 0; head < heads; head++) {
          const from = (newRowsHead(heads, Number(layer), part) + head) * ids.length * width;
          const of = (rows.data as Float32Array).subarray(from, from + ids.length * width);
          data.set(of, (head * capacity + valid) * width);
        }
      }
      valid += ids.length;
      expect(outputs[lastLogitsOutput]!.dims).toEqual([1, 2048]);
      return argmaxOfLast(outputs[lastLogitsOutput]!);
    };

    let next = -1;
    for (let start = 0, chunk = 0; start < prompt.length; chunk++) {
      const end = start + chunks[chunk]!;
      next = await step(prompt.slice(start, end));
      start = end;
    }
    const ids = [next];
    while (ids.length < count) ids.push(await step([ids.at(-1)!]));
    expect(valid).toBe(69);
    expect(ids).toEqual(expected);
  });
});

describe("withdrawing outputs", () => {
  it("takes the named ones from a model, and changes a byte for each", async () => {
    const model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
    const withdrawn = Buffer.from(model);
    withdrawOutputs(withdrawn, [...presents, "input_ids", "of.nothing"]);
    expect(readGraphSummary(withdrawn, "model.onnx")).toEqual({
      ...readGraphSummary(model, "model.onnx"),
      outputs: ["logits"],
    });
    expect(withdrawn.filter((byte, at) => byte !== model[at])).toHaveLength(presents.length);
  });

  it("lets a layer's cache go before the next layer makes its own", async () => {
    const operatorProfile = join(await temporaryFolder(), "operators");
    const generator = await createInlineGenerator({ operatorProfile });
    await generator.generate("It is not", { maxTokens: 4 });
    await generator.close();
    const [file = ""] = generator.operatorProfiles();
    const events = JSON.parse(await readFile(file, "utf8")) as {
      readonly name: string;
      readonly args?: { readonly op_name?: string };
    }[];
    const order = events
      .filter(({ name }) => name.endsWith("_kernel_time"))
      .map(({ name, args }) => (/^streamgauge\.new\.\d/.test(name) ? "take" : args?.op_name))
      .filter((step) => step === "take" || step === "GroupQueryAttention");
    expect(order.length).toBeGreaterThan(0);
    expect(order).toEqual(order.map((_, at) => (at % 3 === 0 ? "GroupQueryAttention" : "take")));
  });
});

it("is refused to a model which it does not fit", () => {
  const pasts = ["past_key_values.0.key", "past_key_values.0.value"];
  const summary = {
    operators: new Set(["GroupQueryAttention"]),
    inputs: ["input_ids", "attention_mask", ...pasts],
    inputShapes: new Map(pasts.map((name) => [name, [undefined, 3, undefined, 64]])),
    outputs: ["logits", "present.0.key", "present.0.value"],
    operatorSets: new Map([["", 17]]),
  };
  expect(deltaCacheShape(summary)).toEqual({ layers: 1, heads: 3 });
  const uneven = (...value: number[]) =>
    new Map([...summary.inputShapes, ["past_key_values.0.value", value]]);
  for (const other of [
    { operators: new Set(["MatMul", "Softmax"]) },
    { operatorSets: new Map([["", 12]]) },
    { inputs: ["tokens", ...pasts] },
    { outputs: ["logits"] },
    { inputShapes: new Map() },
    { inputShapes: uneven(1, 4, 0, 64) },
    { inputShapes: uneven(1, 3, 0, 32) },
  ]) {
    expect(deltaCacheShape({ ...summary, ...other })).toBeUndefined();
  }
});
