import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { InferenceSession } from "onnxruntime-node";
import { expect, it } from "vitest";

import { embeddedModel } from "../src/embedded-model.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { buildModel } from "../src/onnx/build/build-model.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { emptyCache, tokenFeeds } from "./greedy-reference.js";
import { temporaryFolder } from "./temporary-folder.js";

// The procedure and the figures are the model card's.
const window = 512;
const publishedBitsPerByte = 1.28759;

const heldout = new URL("../checkpoints/pequod/heldout.txt.gz", import.meta.url);

async function readHeldOut(): Promise<string> {
  return gunzipSync(await readFile(heldout)).toString("utf8");
}

it("reproduces the model card's bits per byte on held-out text", async () => {
  const tokenizer = await loadTokenizer(embeddedModel);
  const ids = tokenizer.encode(await readHeldOut());
  expect(ids).toHaveLength(94_307);
  const nats = await natsPerToken(join(embeddedModel, "onnx", "model.onnx"), ids);

  // The end-of-text marks between documents are predicted, but they are not text.
  const bytes = Buffer.byteLength(tokenizer.decode(ids.slice(1)));
  expect(bytes).toBe(331_702);
  const bitsPerByte = (nats * (ids.length - 1)) / Math.LN2 / bytes;
  console.log(
    `held-out: ${nats.toFixed(5)} nats per token, ${bitsPerByte.toFixed(5)} bits per byte`,
  );
  expect(Math.abs(bitsPerByte / publishedBitsPerByte - 1)).toBeLessThan(0.001);
});

it("loses little of that in half precision, and little more in 8 and 4 bits", async () => {
  const tokenizer = await loadTokenizer(embeddedModel);
  // A part of the text. On all of it the losses are 0.0000, 0.0002 and 0.0146.
  const ids = tokenizer.encode(await readHeldOut()).slice(0, 8 * window + 1);
  const out = join(await temporaryFolder(), "model");
  const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
  await buildModel({ checkpoint, out, dtypes: ["fp16", "q8", "q4", "q4f16"] });
  const whole = await natsPerToken(join(embeddedModel, "onnx", "model.onnx"), ids);
  for (const [dtype, most] of [
    ["fp16", 0.0005],
    ["q8", 0.002],
    ["q4", 0.03],
    ["q4f16", 0.03],
  ] as const) {
    const loss = (await natsPerToken(join(out, "onnx", graphFileName(dtype)), ids)) - whole;
    console.log(`held-out, first part: ${dtype} loses ${loss.toFixed(5)} nats per token`);
    expect(Math.abs(loss)).toBeLessThan(most);
  }
});

/** How badly a graph predicts ids, each window from its own beginning. */
async function natsPerToken(file: string, ids: readonly number[]): Promise<number> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 2 });
  const cache = emptyCache(session);
  let nats = 0;
  for (let start = 0; start + 1 < ids.length; start += window) {
    const inputs = ids.slice(start, Math.min(start + window, ids.length - 1));
    const feeds = { ...tokenFeeds(inputs, inputs.length), ...cache };
    const { logits } = await session.run(feeds, ["logits"]);
    const width = logits!.dims.at(-1)!;
    const rows = logits!.data as Float32Array;
    for (let i = 0; i < inputs.length; i++) {
      const row = rows.subarray(i * width, (i + 1) * width);
      nats += negativeLogLikelihood(row, ids[start + i + 1]!);
    }
  }
  await session.release();
  return nats / (ids.length - 1);
}

function negativeLogLikelihood(logits: Float32Array, target: number): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return Math.log(sum) + largest - logits[target]!;
}
