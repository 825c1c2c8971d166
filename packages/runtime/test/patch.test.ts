import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { embeddedModel } from "../src/embedded-model.js";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import {
  deltaCachePatch,
  deltaCacheShape,
  lastLogitsOutput,
  newRowsOutput,
} from "../src/onnx/patch.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { argmaxOfLast, openGreedyReference, tokenFeeds } from "./greedy-reference.js";

// pequod's shape
const layers = 4;
const heads = 2;
const width = 64;
const shape = { layers, heads };
const parts = ["key", "value"] as const;

describe("the delta cache patch", () => {
  let model: Buffer;
  let session: InferenceSession;
  beforeAll(async () => {
    model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
    session = await InferenceSession.create(Buffer.concat([model, deltaCachePatch(shape)]), {
      intraOpNumThreads: 2,
    });
  });
  afterAll(() => session.release());

  it("is seen by the summary of the concatenated bytes", () => {
    const before = readGraphSummary(model, "model.onnx");
    const patched = Buffer.concat([model, deltaCachePatch(shape)]);
    const after = readGraphSummary(patched, "model.onnx");
    expect(deltaCacheShape(before)).toEqual(shape);
    expect(before.operatorSets).toEqual(after.operatorSets);
    expect(after.outputs).toEqual([
      ...before.outputs,
      lastLogitsOutput,
      ...Array.from({ length: layers }, (_, layer) =>
        parts.map((part) => newRowsOutput(layer, part)),
      ).flat(),
    ]);
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
    for (let layer = 0; layer < layers; layer++) {
      for (const part of parts) {
        buffers.set(`${layer}.${part}`, new Float32Array(heads * capacity * width).fill(NaN));
      }
    }
    let valid = 0;
    const step = async (ids: readonly number[]): Promise<number> => {
      const feeds = tokenFeeds(ids, valid + ids.length);
      for (const [name, data] of buffers) {
        feeds[`past_key_values.${name}`] = new Tensor("float32", data, [1, heads, capacity, width]);
      }
      const fetches = [...buffers.keys()].map((name) => `streamgauge.new.${name}`);
      const outputs = await session.run(feeds, [lastLogitsOutput, ...fetches]);
      for (const [name, data] of buffers) {
        const rows = outputs[`streamgauge.new.${name}`]!;
        expect(rows.dims).toEqual([1, heads, ids.length, width]);
        for (let head = 0; head < heads; head++) {
          const of = (rows.data as Float32Array).subarray(
            head * ids.length * width,
            (head + 1) * ids.length * width,
          );
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
  const uneven = new Map([...summary.inputShapes, ["past_key_values.0.value", [1, 4, 0, 64]]]);
  for (const other of [
    { operators: new Set(["MatMul", "Softmax"]) },
    { operatorSets: new Map([["", 12]]) },
    { inputs: ["tokens", ...pasts] },
    { outputs: ["logits"] },
    { inputShapes: new Map() },
    { inputShapes: uneven },
  ]) {
    expect(deltaCacheShape({ ...summary, ...other })).toBeUndefined();
  }
});
