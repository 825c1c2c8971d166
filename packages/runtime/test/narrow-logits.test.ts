import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { readGraphSummary } from "../src/onnx/graph-summary.js";
import { inPlacePatch, lastLogitsOutput, lastPositionsInput } from "../src/onnx/in-place.js";
import { hasLogitsOfAll, narrowLogits } from "../src/onnx/narrow-logits.js";
import {
  ElementType,
  encodeModelHeader,
  encodeTensorHeader,
  type GraphNode,
  type GraphValue,
} from "../src/onnx/protobuf.js";

const vocabulary = 5;
const width = 3;

function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  others: Partial<GraphNode> = {},
): GraphNode {
  return { name: output, operator, inputs, outputs: [output], ...others };
}

const embed = node("Gather", ["embedding", "input_ids"], "hidden");
const head = node("MatMul", ["hidden", "head"], "logits");

/** Looks vectors of ids up, and makes logits of them. */
function modelOf(nodes: readonly GraphNode[], length: string | number = "length"): Buffer {
  const float = ElementType.float32;
  const tensors = [
    { name: "embedding", element: float, dimensions: [vocabulary, width] },
    { name: "head", element: float, dimensions: [width, vocabulary] },
  ];
  const bytes = tensors.flatMap((tensor, index) => [
    encodeTensorHeader(tensor),
    new Uint8Array(
      Float32Array.from({ length: vocabulary * width }, (_, at) => Math.sin(at + index)).buffer,
    ),
  ]);
  const value = (name: string, element: ElementType, ...dimensions: (string | number)[]) =>
    ({ name, type: { element, dimensions } }) satisfies GraphValue;
  const graph = {
    name: "tiny",
    nodes,
    inputs: [value("input_ids", ElementType.int64, "batch", "length")],
    outputs: [value("logits", float, "batch", length, vocabulary)],
  };
  const byteLength = bytes.reduce((sum, { length: size }) => sum + size, 0);
  const operatorSets = { "": 17, "com.microsoft": 1 };
  const header = { irVersion: 8, producer: "test", operatorSets };
  return Buffer.concat([encodeModelHeader(graph, byteLength, header), ...bytes]);
}

async function openSession(model: Buffer): Promise<InferenceSession> {
  return InferenceSession.create(model, { logSeverityLevel: 3 });
}

const ids = new Tensor("int64", BigInt64Array.of(3n, 0n, 2n, 4n, 1n, 1n), [2, 3]);

describe("narrowing the logits", () => {
  it.each<[string, readonly GraphNode[]]>([
    ["a product", [embed, head]],
    [
      "a product that is cast",
      [
        embed,
        node("MatMul", ["hidden", "head"], "exact"),
        node("Cast", ["exact"], "half", { attributes: { to: { int: 10 } } }),
        node("Cast", ["half"], "logits", { attributes: { to: { int: 1 } } }),
      ],
    ],
    [
      "a product with the embedding, transposed",
      [
        embed,
        node("FusedMatMul", ["hidden", "embedding"], "logits", {
          domain: "com.microsoft",
          attributes: { transA: { int: 0 }, transB: { int: 1 } },
        }),
      ],
    ],
  ])("computes those of the wanted positions alone, for %s", async (_, nodes) => {
    const model = modelOf(nodes);
    const whole = await openSession(model);
    const all = (await whole.run({ input_ids: ids }))["logits"]?.data as Float32Array;

    const narrowed = narrowLogits(model, "logits");
    expect(narrowed).toEqual({ hidden: "hidden", kept: "hidde~" });
    const options = { logits: "logits", presents: [], operatorSet: 17, narrowed };
    const patched = await openSession(Buffer.concat([model, inPlacePatch(options)]));
    expect(lastLogitsOutput(patched)).toBe("logits");
    // The middle and the last one of the first row, the first and the middle one of the second.
    const positions = new Tensor("int64", BigInt64Array.of(-2n, 2n, 0n, -2n), [2, 2, 1]);
    const fetched = await patched.run({ input_ids: ids, [lastPositionsInput]: positions }, [
      "logits",
    ]);
    expect(fetched["logits"]?.dims).toEqual([2, 2, vocabulary]);
    const rows = [1, 2, 3, 4].map((row) => all.slice(row * vocabulary, (row + 1) * vocabulary));
    expect(Array.from(fetched["logits"]?.data as Float32Array)).toEqual(
      rows.flatMap((row) => [...row]),
    );
    await whole.release();
    await patched.release();
  });

  it.each<[string | number, boolean]>([
    ["length", true],
    ["one", false],
    [1, false],
  ])("is for models whose logits have the ids' length, not %j", (length, expected) => {
    const summary = readGraphSummary(modelOf([embed, head], length), "model.onnx");
    expect(summary.shapes.get("logits")).toEqual(["batch", length, vocabulary]);
    const ports = { ids: "input_ids", logits: "logits" };
    expect(hasLogitsOfAll(summary, { ...ports, logitsCount: undefined })).toBe(expected);
    expect(hasLogitsOfAll(summary, { ...ports, logitsCount: "num_logits_to_keep" })).toBe(false);
  });

  it("changes one letter of the model, and takes its output away", () => {
    const model = modelOf([embed, head]);
    const before = Buffer.from(model);
    narrowLogits(model, "logits");
    expect(model.filter((byte, at) => byte !== before[at])).toHaveLength(2);
    expect(() => readGraphSummary(model, "model.onnx")).toThrow("holds no ONNX graph");
  });

  it("finds a name that nothing has", () => {
    const others = ["hidde~", "hidde^"].map((name) => node("Identity", ["hidden"], name));
    const model = modelOf([embed, ...others, head]);
    expect(narrowLogits(model, "logits")?.kept).toBe("hidde!");
  });

  it.each<[string, Buffer]>([
    ["something is added", modelOf([embed, { ...head, operator: "Add" }])],
    [
      "the hidden states are transposed",
      modelOf([embed, { ...head, operator: "FusedMatMul", attributes: { transA: { int: 1 } } }]),
    ],
    [
      "all names are taken",
      modelOf([
        embed,
        head,
        ...["~", "^", "!", "|"].map((mark) => node("Neg", ["hidden"], `hidde${mark}`)),
      ]),
    ],
    ["nothing computes them", modelOf([embed])],
    ["they are computed from themselves", modelOf([embed, node("Cast", ["logits"], "logits")])],
  ])("leaves a model as it is where %s", (_, model) => {
    const before = Buffer.from(model);
    expect(narrowLogits(model, "logits")).toBeUndefined();
    expect(model.equals(before)).toBe(true);
  });
});
