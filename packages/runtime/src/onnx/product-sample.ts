import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { elementNumbers, type GraphSummary, type NodeSummary } from "./graph-summary.js";
import { readTensors, type GraphTensor } from "./graph-tensors.js";
import { eachMessage } from "./message-fields.js";
import { ElementType, encodeModelHeader } from "./protobuf.js";

/** Some of a model's own matrices, each multiplied with a row: what a step mostly does. */
export interface ProductSample {
  /** A model of its own, whose weights are where the model's are. */
  readonly graph: Uint8Array;
  /** What has to be fed: one row each, [1, columns]. */
  readonly inputs: readonly SampleInput[];
  readonly matrices: number;
  /** Of their weights. */
  readonly bytes: number;
}

export interface SampleInput {
  readonly name: string;
  readonly columns: number;
  readonly type: "float32" | "float16";
}

/** Products of a row of floats with tensors of the file. */
const products: ReadonlySet<string> = new Set(["FusedMatMul", "Gemm", "MatMul", "MatMulNBits"]);

/** With fewer, nothing is handed from one to the next. */
const leastMatrices = 2;

/**
 * Takes matrices from everywhere in a graph, until they have about so many bytes.
 *
 * @param graph a serialised ONNX model without its weights, as `readLeanModel` gives it
 * @param summary of the same
 * @returns undefined where too few can be taken by themselves
 */
export function sampleProducts(
  graph: Uint8Array,
  { nodes, operatorSets }: GraphSummary,
  wantedBytes: number,
): ProductSample | undefined {
  const tensors = readTensors(graph);
  const messages: Uint8Array[] = [];
  eachMessage(graph, 7, (inner) => eachMessage(inner, 1, (node) => messages.push(node)));
  const found = nodes.flatMap((node, index) => {
    const product = productOf(node, tensors);
    const message = messages[index];
    // One that is most of the sample is the output's, of which there is one.
    if (product === undefined || message === undefined || product.bytes > wantedBytes / 2)
      return [];
    return [{ ...product, node, message }];
  });
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  // Evenly spread over all of them.
  const share = Math.min(1, wantedBytes / total);
  const spread = found.filter(
    (_, index) => Math.floor((index + 1) * share) > Math.floor(index * share),
  );
  const made = new Set(spread.flatMap(({ node }) => node.outputs));
  const taken = spread.filter(({ input }) => !made.has(input.name));
  if (taken.length < leastMatrices) return undefined;
  const inputs = [...new Map(taken.map(({ input }) => [input.name, input])).values()];
  const weights = new Map(
    taken.flatMap(({ node }) =>
      node.inputs.flatMap((name): [string, GraphTensor][] => {
        const tensor = tensors.get(name);
        return tensor === undefined ? [] : [[name, tensor]];
      }),
    ),
  );
  const body = new BinaryWriter();
  for (const { message } of taken) body.tag(1, WireType.LengthDelimited).bytes(message);
  for (const { message } of weights.values()) body.tag(5, WireType.LengthDelimited).bytes(message);
  const bytes = body.finish();
  const head = encodeModelHeader(
    {
      name: "sample",
      nodes: [],
      inputs: inputs.map(({ name, columns, type }) => ({
        name,
        type: { element: ElementType[type], dimensions: [1, columns] },
      })),
      outputs: taken.flatMap(({ node }) => node.outputs.slice(0, 1).map((name) => ({ name }))),
    },
    bytes.length,
    { irVersion: 8, producer: "streamgauge", operatorSets: Object.fromEntries(operatorSets) },
  );
  return {
    graph: Buffer.concat([head, bytes]),
    inputs,
    matrices: taken.length,
    bytes: taken.reduce((sum, product) => sum + product.bytes, 0),
  };
}

/** The row that a node takes, and the bytes that it reads; undefined for what is no such product. */
function productOf(
  { operator, inputs, integers }: NodeSummary,
  tensors: ReadonlyMap<string, GraphTensor>,
): { readonly input: SampleInput; readonly bytes: number } | undefined {
  const [name = "", ...others] = inputs;
  if (!products.has(operator) || tensors.has(name) || integers["transA"] === 1) return undefined;
  const weights = others.filter((other) => other !== "").map((other) => tensors.get(other));
  const [matrix, scales] = weights;
  if (matrix === undefined || weights.includes(undefined)) return undefined;
  const isPacked = operator === "MatMulNBits";
  const [first, second] = matrix.dimensions;
  const columns = isPacked ? integers["K"] : integers["transB"] === 1 ? second : first;
  const element = (isPacked ? scales : matrix)?.element;
  const type = element === elementNumbers.float16 ? "float16" : "float32";
  if (columns === undefined || element !== elementNumbers[type]) return undefined;
  if (!isPacked && matrix.dimensions.length !== 2) return undefined;
  const bytes = weights.reduce((sum, tensor) => sum + (tensor?.bytes ?? 0), 0);
  return { input: { name, columns, type }, bytes };
}
