import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, type BuildDtype, type LlamaShape } from "@streamgauge/runtime/onnx";
import { describe, expect, it } from "vitest";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { sampleProducts } from "../src/onnx/product-sample.js";
import { readStepWeights } from "../src/onnx/step-weights.js";
import { probeOf, type LeanGraph } from "../src/threads/open-probe.js";
import { smallShape } from "./tiny-shape.js";
import { temporaryFolder } from "./temporary-folder.js";
import { groupQueryRows } from "./zoo/group-query-rows.js";

const shape: LlamaShape = { ...smallShape, layers: 4, tiedEmbeddings: true };

async function leanGraphOf(file: string): Promise<LeanGraph> {
  const graph = await readLeanModel(file);
  return { graph, file, summary: readGraphSummary(graph, file) };
}

const pequod = join(embeddedModel, "onnx", "model.onnx");

describe("a sample of a model's products", () => {
  it("is evenly taken from the layers, as large as was asked, without the output's matrix", async () => {
    const { graph, summary } = await leanGraphOf(pequod);
    const layer = 4 * 786_432;
    for (const wanted of [layer / 2, layer, 2 * layer, 4 * layer]) {
      const sample = sampleProducts(graph, summary, wanted);
      expect(sample?.bytes).toBeGreaterThan(0.7 * wanted);
      expect(sample?.bytes).toBeLessThan(1.3 * wanted);
    }
    const all = sampleProducts(graph, summary, 1e9);
    expect(all).toMatchObject({ matrices: 21, bytes: 14_680_064 });
    const half = sampleProducts(graph, summary, 2 * layer);
    expect(half?.inputs.map(({ name }) => /layers\.(\d)/.exec(name)?.[1])).toEqual(
      expect.arrayContaining(["0", "1", "2", "3"]),
    );
  });

  it("is none where there are too few of them", async () => {
    const { graph, summary } = await leanGraphOf(pequod);
    expect(sampleProducts(graph, summary, 1000)).toBeUndefined();
    expect(sampleProducts(graph, { ...summary, nodes: [] }, 1e9)).toBeUndefined();
  });

  it.each<BuildDtype>(["fp32", "fp16", "q8", "q4", "q4f16"])(
    "runs in %s, with the weights where they are",
    async (dtype) => {
      for (const externalData of [false, true]) {
        const out = join(await temporaryFolder(), "model");
        await buildRandomModel({ shape, seed: 1, out, dtypes: [dtype], externalData });
        const model = await leanGraphOf(join(out, "onnx", graphFileName(dtype)));
        const weights = readStepWeights(model.graph, model.summary);
        if (weights === undefined) throw new Error("There are no weights.");
        const open = await probeOf(model, weights);
        const probe = await open?.({ threads: 2, spinMicroseconds: 50 });
        await probe?.run();
        await expect(probe?.run()).resolves.toBeUndefined();
        await probe?.close();
        expect(probe).toBeDefined();
      }
    },
  );

  it("runs of graphs that others wrote, or is none", async () => {
    for (const row of groupQueryRows) {
      const folder = join(await temporaryFolder(), "model");
      await row.write(folder);
      const model = await leanGraphOf(join(folder, "onnx", "model.onnx")).catch(() => undefined);
      const sample = model && sampleProducts(model.graph, model.summary, 1e9);
      if (model === undefined || sample === undefined) continue;
      const open = await probeOf(model, { bytes: 1e9, matrices: 1, bits: 32, shapeHash: "" });
      const probe = await open?.({ threads: 1, spinMicroseconds: 0 });
      await expect(probe?.run()).resolves.toBeUndefined();
      await probe?.close();
    }
  });
});
