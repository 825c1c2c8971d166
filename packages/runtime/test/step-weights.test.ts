import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, type BuildDtype, type LlamaShape } from "@streamgauge/runtime/onnx";
import { describe, expect, it } from "vitest";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { graphFileName } from "../src/onnx/model-dtype.js";
import { ElementType, encodeModelHeader, encodeTensorHeader } from "../src/onnx/protobuf.js";
import { readStepWeights, type StepWeights } from "../src/onnx/step-weights.js";
import { smallShape } from "./tiny-shape.js";
import { temporaryFolder } from "./temporary-folder.js";

async function weightsOf(file: string): Promise<StepWeights | undefined> {
  const graph = await readLeanModel(file);
  return readStepWeights(graph, readGraphSummary(graph, file));
}

/** Numbers of a layer's matrices: queries, keys and values in one, the output's, and three more. */
const ofLayer = 64 * (64 + 32 + 32) + 64 * 64 + 3 * 64 * 96;

async function built(
  dtype: BuildDtype,
  changes: Partial<LlamaShape> = {},
  seed = 1,
): Promise<StepWeights | undefined> {
  const out = join(await temporaryFolder(), "model");
  await buildRandomModel({ shape: { ...smallShape, ...changes }, seed, out, dtypes: [dtype] });
  return await weightsOf(join(out, "onnx", graphFileName(dtype)));
}

describe("what a step reads of the weights", () => {
  it("is each matrix once, the embedding too where it makes the logits", async () => {
    expect(await weightsOf(join(embeddedModel, "onnx", "model.onnx"))).toMatchObject({
      bytes: 4 * (4 * 786_432 + 2048 * 256),
      matrices: 4 * 5 + 1,
      bits: 32,
    });
  });

  it("leaves out a table that ids are looked up in alone", async () => {
    const head = 96 * 64;
    const expected = { bytes: 4 * (2 * ofLayer + head), matrices: 11, bits: 32 };
    expect(await built("fp32")).toMatchObject(expected);
    expect(await built("fp32", { tiedEmbeddings: true })).toMatchObject(expected);
  });

  it("counts quantised numbers with their scales, and halves as halves", async () => {
    const numbers = 2 * ofLayer + 96 * 64;
    expect(await built("q4")).toMatchObject({ bytes: numbers * (0.5 + 4 / 32), bits: 4 });
    expect(await built("q8")).toMatchObject({ bytes: numbers * (1 + 4 / 32), bits: 8 });
    expect(await built("fp16")).toMatchObject({ bytes: numbers * 2, bits: 16 });
  });

  it("has a hash of the shapes, not of the numbers or the place", async () => {
    const first = await built("fp32");
    expect(first?.shapeHash).toMatch(/^[0-9a-f]{16}$/);
    expect((await built("fp32", {}, 2))?.shapeHash).toBe(first?.shapeHash);
    expect((await built("fp32", { layers: 3 }))?.shapeHash).not.toBe(first?.shapeHash);
    expect((await built("q8"))?.shapeHash).not.toBe(first?.shapeHash);
  });

  it("looks through what gives a table another form, and finds none where there is none", () => {
    const table = { name: "table", element: ElementType.float32, dimensions: [64, 64] } as const;
    const graphOf = (operator: string): Uint8Array => {
      const tensor = encodeTensorHeader(table);
      const value = { element: ElementType.float32, dimensions: [1, 64] };
      const head = encodeModelHeader(
        {
          name: "graph",
          nodes: [
            { name: "turn", operator: "Transpose", inputs: ["table"], outputs: ["turned"] },
            { name: "out", operator, inputs: ["in", "turned"], outputs: ["out"] },
          ],
          inputs: [{ name: "in", type: value }],
          outputs: [{ name: "out", type: value }],
        },
        tensor.length + 4 * 64 * 64,
        { irVersion: 8, producer: "test", operatorSets: { "": 17 } },
      );
      return Buffer.concat([head, tensor, Buffer.alloc(4 * 64 * 64)]);
    };
    const read = (operator: string): StepWeights | undefined => {
      const graph = graphOf(operator);
      return readStepWeights(graph, readGraphSummary(graph, "a test"));
    };
    expect(read("MatMul")).toMatchObject({ bytes: 4 * 64 * 64, matrices: 1, bits: 32 });
    expect(read("Add")).toBeUndefined();
  });
});
