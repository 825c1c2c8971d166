import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { embeddedModel } from "../src/embedded-model.js";
import {
  readGraphSummary,
  type GraphSummary,
  type NodeSummary,
} from "../src/onnx/graph-summary.js";
import {
  endOutput,
  inPlacePatch,
  largestLogitsOutput,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
  whyNotInPlace,
} from "../src/onnx/in-place.js";
import { narrowLogits } from "../src/onnx/narrow-logits.js";
import { withdrawOutputs } from "../src/onnx/withdraw-outputs.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { argmaxOfLast, openGreedyReference, tokenFeeds } from "./greedy-reference.js";

// pequod's shape
const layers = 4;
const heads = 2;
const width = 64;
const presents = Array.from({ length: layers }, (_, layer) =>
  (["key", "value"] as const).map((part) => `present.${layer}.${part}`),
).flat();

/** The embedded model, changed so that it runs in place. */
function patch(original: Buffer, narrows: boolean, operatorSet = 17): Buffer {
  const model = Buffer.from(original);
  const narrowed = narrows ? narrowLogits(model, "logits") : undefined;
  expect(narrowed !== undefined).toBe(narrows);
  withdrawOutputs(model, ["logits", ...presents]);
  return Buffer.concat([
    model,
    inPlacePatch({ logits: "logits", presents, operatorSet, narrowed }),
  ]);
}

/** Asks for the last positions of a run. */
function lastPositions(count: number): Record<string, Tensor> {
  const positions = BigInt64Array.from({ length: count }, (_, index) => BigInt(index - count));
  return { [lastPositionsInput]: new Tensor("int64", positions, [1, count, 1]) };
}

describe.each([
  ["its logits of all positions", false],
  ["logits of some positions only", true],
])("the patch for running in place, for a model that computes %s", (_, narrows) => {
  let model: Buffer;
  let session: InferenceSession;
  beforeAll(async () => {
    model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
    session = await InferenceSession.create(patch(model, narrows), { intraOpNumThreads: 2 });
  });
  afterAll(() => session.release());

  it("is seen by the summary of the concatenated bytes, and puts the end before all else", () => {
    const before = readGraphSummary(model, "model.onnx");
    const entries = presents.map((present) => ({
      past: present.replace("present", "past_key_values"),
      present,
    }));
    expect(whyNotInPlace(before, entries)).toBeUndefined();
    const after = readGraphSummary(patch(model, narrows), "model.onnx");
    expect(before.operatorSets).toEqual(after.operatorSets);
    expect(after.inputs).toEqual([...before.inputs, lastPositionsInput]);
    expect(after.outputs).toEqual(session.outputNames);
    expect(lastLogitsOutput(session)).toBe(narrows ? "logits" : "streamgauge.last_logits");
    expect(session.outputNames.slice(1)).toEqual([
      lastLogitsOutput(session),
      largestLogitsOutput,
      ...presents,
    ]);
    expect(session.outputMetadata[0]?.isTensor).toBe(false);
  });

  it.each([
    ["a buffer with room to spare", 160, [Infinity]],
    ["a buffer filled to its last row", 69, [Infinity]],
    ["a prompt fed in chunks", 160, [4, 1, 3, Infinity]],
  ])("gives the same greedy ids from %s", async (_buffer, capacity, chunks) => {
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
      const wanted = Math.min(2, ids.length);
      const feeds = { ...tokenFeeds(ids, valid + ids.length), ...lastPositions(wanted) };
      for (const [name, data] of buffers) {
        feeds[`past_key_values.${name}`] = new Tensor("float32", data, [1, heads, capacity, width]);
      }
      const all = new Float32Array(wanted * 2048).fill(NaN);
      const logits = new Tensor("float32", all, [1, wanted, 2048]);
      const largest = new Float32Array(wanted);
      const fetches: Record<string, Tensor | null> = {
        [endOutput]: null,
        [lastLogitsOutput(session)]: logits,
        [largestLogitsOutput]: new Tensor("float32", largest, [1, wanted]),
      };
      for (const name of buffers.keys()) {
        fetches[`present.${name}`] = feeds[`past_key_values.${name}`]!;
      }
      await runInPlace(session, feeds, fetches);
      for (const [index, most] of largest.entries()) {
        expect(most).toBe(Math.max(...all.subarray(index * 2048, (index + 1) * 2048)));
      }
      valid += ids.length;
      for (const data of buffers.values()) {
        for (let head = 0; head < heads; head++) {
          const written = data.subarray(head * capacity * width, (head + 1) * capacity * width);
          expect(written.findIndex((value) => Number.isNaN(value))).toBe(
            valid < capacity ? valid * width : -1,
          );
        }
      }
      return argmaxOfLast(logits);
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
    const before = readGraphSummary(model, "model.onnx");
    expect(readGraphSummary(withdrawn, "model.onnx")).toEqual({
      ...before,
      outputs: ["logits"],
      shapes: new Map([...before.shapes].filter(([name]) => !presents.includes(name))),
      elements: new Map([...before.elements].filter(([name]) => !presents.includes(name))),
    });
    expect(withdrawn.filter((byte, at) => byte !== model[at])).toHaveLength(presents.length);
  });
});

/** A buffer for each output of the cache, fed and fetched. */
function rowsFor(capacity: number): [Record<string, Tensor>, Record<string, Tensor>] {
  const dims = [1, heads, capacity, width];
  const tensors = presents.map((name) => {
    const floats = new Float32Array(heads * capacity * width);
    return [name, new Tensor("float32", floats, dims)] as const;
  });
  const feeds = tensors.map(([name, tensor]) => [
    name.replace("present", "past_key_values"),
    tensor,
  ]);
  return [Object.fromEntries(feeds), Object.fromEntries(tensors)];
}

/** Changes the version of ONNX's own operators that the embedded model names. */
function withOperatorSet(model: Buffer, version: number): Buffer {
  // ModelProto.opset_import { domain: "", version: 17 }
  const at = model.indexOf(Buffer.of(0x42, 4, 0x0a, 0, 0x10, 17));
  const changed = Buffer.from(model);
  changed[at + 5] = version;
  return changed;
}

it.each([17, 18, 21])("takes the largest logit in operator set %i", async (version) => {
  const model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
  const patched = patch(withOperatorSet(model, version), true, version);
  expect(readGraphSummary(patched, "model.onnx").operatorSets.get("")).toBe(version);
  const session = await InferenceSession.create(patched, { logSeverityLevel: 3 });
  const logits = new Float32Array(2048);
  const largest = new Float32Array(1);
  const [pasts, cache] = rowsFor(32);
  await runInPlace(
    session,
    { ...tokenFeeds([5, 9, 400], 3), ...pasts, ...lastPositions(1) },
    {
      ...cache,
      [endOutput]: null,
      [lastLogitsOutput(session)]: new Tensor("float32", logits, [1, 1, 2048]),
      [largestLogitsOutput]: new Tensor("float32", largest, [1, 1]),
    },
  );
  expect(largest[0]).toBe(Math.max(...logits));
  expect(largest[0]).not.toBe(0);
  await session.release();
});

it("throws what a run throws that fails", async () => {
  const model = await readFile(join(embeddedModel, "onnx", "model.onnx"));
  const patched = patch(model, true);
  const session = await InferenceSession.create(patched, { logSeverityLevel: 4 });
  const [pasts, cache] = rowsFor(32);
  const feeds = { ...tokenFeeds([4000], 1), ...pasts, ...lastPositions(1) };
  await expect(runInPlace(session, feeds, { ...cache, [endOutput]: null })).rejects.toThrow(
    "must be within the inclusive range",
  );
  await session.release();
});

describe("whether past and present may be one memory", () => {
  const node = (
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    branchInputs: readonly string[] = [],
  ): NodeSummary => ({ operator, inputs, outputs, branchInputs, integers: {} });
  const entries = (["key", "value"] as const).map((part) => ({
    past: `past_key_values.0.${part}`,
    present: `present.0.${part}`,
  }));
  const [key, value] = entries.map(({ past }) => past) as [string, string];
  const written = ["heads", "present.0.key", "present.0.value"];
  const attention = node("GroupQueryAttention", ["qkv", "", "", key, value, "last"], written);

  it.each<[string, readonly NodeSummary[], string | undefined]>([
    ["GroupQueryAttention alone touches them", [attention], undefined],
    [
      "others read other values",
      [attention, node("Shape", ["attention_mask"], ["width"])],
      undefined,
    ],
    [
      "the past's shape is read",
      [attention, node("Shape", [key], ["shape"])],
      `${key} is read by Shape`,
    ],
    [
      "present is read",
      [attention, node("ReduceMean", ["present.0.value"], ["mean"])],
      "present.0.value is read by ReduceMean",
    ],
    [
      "a branch reads the past",
      [attention, node("If", ["long"], ["table"], [value])],
      `${value} is read by If`,
    ],
    [
      "a branch reads present",
      [attention, node("If", ["long"], ["table"], ["present.0.key"])],
      "present.0.key is read by If",
    ],
    [
      "a second layer looks at the first one's cache",
      [attention, node("GroupQueryAttention", ["q", "", "", ...written.slice(1)], ["more"])],
      "present.0.key is read by GroupQueryAttention",
    ],
    [
      "keys and values are exchanged",
      [node("GroupQueryAttention", ["qkv", "", "", value, key], written)],
      `present.0.key does not go on from ${key}`,
    ],
    [
      "keys are the values too",
      [node("GroupQueryAttention", ["qkv", key, "", key, value], written)],
      `${key} is read by GroupQueryAttention`,
    ],
    [
      "another operator makes present",
      [node("MultiHeadAttention", ["q", "k", "v", "", "", "", key, value], written)],
      "made by MultiHeadAttention",
    ],
    ["nothing makes present", [node("Gather", ["table", "input_ids"], ["logits"])], "nothing"],
  ])("is decided where %s", (_, nodes, because) => {
    const summary = { operatorSets: new Map([["", 17]]), nodes };
    const reason = whyNotInPlace(summary as unknown as GraphSummary, entries);
    if (because === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(because);
  });

  it("is not where GatherND has no batches yet", () => {
    const summary = { operatorSets: new Map([["", 11]]), nodes: [attention] };
    expect(whyNotInPlace(summary as unknown as GraphSummary, entries)).toContain("older than 12");
  });
});
