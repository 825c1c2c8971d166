import { blockSize } from "./block-quantisation.js";
import {
  microsoft,
  type GraphBuilder,
  type QuantisedMatrix,
  type WeightPart,
} from "./graph-builder.js";

/** A weight [rows, columns] of a graph, as it is or quantised. */
export type Matrix = { readonly rows: number; readonly columns: number } & (
  | { readonly floats: string }
  | ({ readonly bits: 4 | 8 } & QuantisedMatrix)
);

/**
 * MatMulNBits rounds its input to 8 bits too, block by block: two times as fast
 * as floats with 4 bits, thirty times with 8.
 */
const accuracyLevel = 4;

/** Adds a matrix stacked of several weights, in the graph's format. */
export function addMatrix(
  builder: GraphBuilder,
  name: string,
  parts: readonly WeightPart[],
  columns: number,
): Matrix {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const bits = builder.format.weightBits;
  if (bits === undefined) return { rows, columns, floats: builder.weight(name, parts, [columns]) };
  return { rows, columns, bits, ...builder.quantisedWeight(name, parts, columns, bits) };
}

/**
 * Adds a matrix for {@link lookUp}, which would return the padding of a quantised
 * one too: where its rows do not fill blocks, it stays in floats.
 */
export function addTable(
  builder: GraphBuilder,
  name: string,
  rows: number,
  columns: number,
): Matrix {
  const parts = [{ name, rows }];
  if (columns % blockSize === 0) return addMatrix(builder, name, parts, columns);
  return { rows, columns, floats: builder.weight(name, parts, [columns]) };
}

/** input · matrixᵀ */
export function multiply(
  builder: GraphBuilder,
  input: string,
  matrix: Matrix,
  output: string,
): string {
  if ("floats" in matrix) {
    return builder.node("FusedMatMul", [input, matrix.floats], [output], {
      domain: microsoft,
      attributes: { transB: { int: 1 } },
    });
  }
  return builder.node("MatMulNBits", [input, matrix.packed, matrix.scales], [output], {
    domain: microsoft,
    attributes: {
      N: { int: matrix.rows },
      K: { int: matrix.columns },
      bits: { int: matrix.bits },
      block_size: { int: blockSize },
      accuracy_level: { int: accuracyLevel },
    },
  });
}

/** The rows of a matrix that indices [batch, sequence] name: [batch, sequence, columns]. */
export function lookUp(
  builder: GraphBuilder,
  matrix: Matrix,
  indices: string,
  output: string,
): string {
  if ("floats" in matrix) return builder.node("Gather", [matrix.floats, indices], [output]);
  // Blocks are an axis of the matrix, as MatMulNBits wants it: so both can share one.
  const axis = builder.integers(`${output}.axis`, [-1]);
  const scales = builder.node("Unsqueeze", [matrix.scales, axis], [`${output}.scales`]);
  const blocks = builder.node(
    "GatherBlockQuantized",
    [matrix.packed, indices, scales],
    [`${output}.blocks`],
    {
      domain: microsoft,
      attributes: {
        bits: { int: matrix.bits },
        block_size: { int: blockSize },
        gather_axis: { int: 0 },
        quantize_axis: { int: 2 },
      },
    },
  );
  const flat = builder.integers(`${output}.shape`, [0, 0, matrix.columns]);
  return builder.node("Reshape", [blocks, flat], [output]);
}
