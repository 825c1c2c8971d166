import { createHash } from "node:crypto";
import type { GraphSummary, NodeSummary } from "./graph-summary.js";
import { bytesOfElement, readTensors, type GraphTensor } from "./graph-tensors.js";

/** What a step of one token reads of a model's weights. */
export interface StepWeights {
  readonly bytes: number;
  /** Matrices that the bytes are in: each is a piece of work that threads share. */
  readonly matrices: number;
  /** Of most of the numbers. */
  readonly bits: 4 | 8 | 16 | 32;
  /**
   * Of the operators and the sizes of all tensors, 16 hexadecimal digits. Equal for graphs that
   * cost the same: neither the numbers count, nor where the file lies.
   */
  readonly shapeHash: string;
}

/** Operators that multiply with a matrix, by what stands for it. */
const products: ReadonlySet<string> = new Set([
  "DynamicQuantizeMatMul",
  "FusedGemm",
  "FusedMatMul",
  "Gemm",
  "MatMul",
  "MatMulBnb4",
  "MatMulFpQ4",
  "MatMulInteger",
  "MatMulIntegerToFloat",
  "MatMulNBits",
  "QLinearMatMul",
]);

/** Operators that give a tensor of the file another form. */
const passing: ReadonlySet<string> = new Set([
  "Cast",
  "DequantizeLinear",
  "Identity",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** A product with less is no matrix of weights. */
const leastMatrixBytes = 1 << 10;

/** Passing operators in a row that are looked through. */
const mostPassed = 4;

/**
 * Counts the matrices that a graph multiplies with; a table that ids are looked up in is read only
 * where it is multiplied with too.
 *
 * @param graph a serialised ONNX model, with or without its weights
 * @param summary of the same
 * @returns undefined for a graph in which none are found
 */
export function readStepWeights(graph: Uint8Array, summary: GraphSummary): StepWeights | undefined {
  const tensors = readTensors(graph);
  const makers = new Map<string, NodeSummary>();
  for (const node of summary.nodes) {
    if (passing.has(node.operator)) for (const output of node.outputs) makers.set(output, node);
  }
  const tensorsBehind = (name: string, passed = 0): readonly GraphTensor[] => {
    const tensor = tensors.get(name);
    if (tensor !== undefined) return [tensor];
    const maker = passed < mostPassed ? makers.get(name) : undefined;
    return maker?.inputs.flatMap((input) => tensorsBehind(input, passed + 1)) ?? [];
  };
  const counted = new Set<GraphTensor>();
  const bytesByBits = new Map<StepWeights["bits"], number>();
  let matrices = 0;
  const count = (weights: readonly GraphTensor[], said?: number): void => {
    const largest = weights.toSorted((one, other) => other.bytes - one.bytes)[0];
    if (largest === undefined || sumBytes(weights) < leastMatrixBytes) return;
    matrices += 1;
    const bits = bitsOf(said) ?? bitsOfElement(largest.element);
    bytesByBits.set(bits, (bytesByBits.get(bits) ?? 0) + largest.bytes);
    for (const tensor of weights) counted.add(tensor);
  };
  for (const { operator, inputs, integers } of summary.nodes) {
    if (!products.has(operator)) continue;
    const said = /Bnb4|Q4/.test(operator) ? 4 : integers["bits"];
    count(
      inputs.flatMap((input) => tensorsBehind(input)),
      said,
    );
  }
  if (matrices === 0) {
    // What is inside of branches is not told apart: all matrices from outside that they read.
    const read = new Set(summary.nodes.flatMap(({ branchInputs }) => branchInputs));
    for (const name of read) {
      count(tensorsBehind(name).filter(({ dimensions }) => dimensions.length > 1));
    }
  }
  if (matrices === 0) return undefined;
  const [most] = [...bytesByBits].toSorted((one, other) => other[1] - one[1]);
  return {
    bytes: sumBytes([...counted]),
    matrices,
    bits: most?.[0] ?? 32,
    shapeHash: hashShapes(summary, tensors),
  };
}

function sumBytes(tensors: readonly GraphTensor[]): number {
  return tensors.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bitsOfElement(element: number): StepWeights["bits"] {
  return bitsOf(bytesOfElement(element) * 8) ?? 32;
}

function bitsOf(said: number | undefined): StepWeights["bits"] | undefined {
  return said === 4 || said === 8 || said === 16 || said === 32 ? said : undefined;
}

function hashShapes({ nodes }: GraphSummary, tensors: ReadonlyMap<string, GraphTensor>): string {
  const hash = createHash("sha256");
  for (const { operator, integers } of nodes) hash.update(JSON.stringify([operator, integers]));
  for (const { element, dimensions } of tensors.values()) {
    hash.update(JSON.stringify([element, dimensions]));
  }
  return hash.digest("hex").slice(0, 16);
}
