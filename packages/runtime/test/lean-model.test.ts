import { copyFile, readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { expect, it } from "vitest";
import { embeddedModel } from "../src/embedded-model.js";
import { weightsRoot } from "../src/onnx/external-tensors.js";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { emptyCache, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

const file = join(embeddedModel, "onnx", "model.onnx");

it("leaves the weights in the file, and the rest as it is", async () => {
  const lean = await readLeanModel(file);
  expect(lean.length).toBeLessThan((await stat(file)).size / 100);
  expect(readGraphSummary(lean, file)).toEqual(readGraphSummary(await readFile(file), file));
});

it("computes the same", async () => {
  const root = await weightsRoot(file);
  const logits = async (graph: Uint8Array): Promise<unknown> => {
    const session = await InferenceSession.create(graph, {
      extra: { session: { model_external_initializers_file_folder_path: root } },
    });
    const feeds = { ...tokenFeeds([38, 900, 12], 3), ...emptyCache(session) };
    const outputs = await session.run(feeds, ["logits"]);
    await session.release();
    return outputs["logits"]?.data;
  };
  expect(await logits(await readLeanModel(file))).toEqual(await logits(await readFile(file)));
});

it.each([0.001, 0.01, 0.5, 0.999])("refuses a file that is cut off at %s", async (share) => {
  const copy = join(await temporaryFolder(), "model.onnx");
  await copyFile(file, copy);
  await truncate(copy, Math.floor((await stat(file)).size * share));
  await expect(readLeanModel(copy)).rejects.toMatchObject({
    code: "MODEL_CORRUPT",
    message: expect.stringContaining(copy),
  });
});
