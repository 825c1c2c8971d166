import { blockSize, quantiseRows } from "../block-quantisation.js";
import { float32ToFloat16, roundToFloat16 } from "../../half-precision.js";
import type { GgufType } from "./gguf-header.js";

/** A block is its scale in half precision, then its numbers. */
const scaleBytes = 2;

const numberBits = { Q8_0: 8, Q4_0: 4 } as const;

/** Bytes of a row. In blocks, its columns are a multiple of 32. */
export function rowBytes(columns: number, type: GgufType): number {
  if (type === "F32") return 4 * columns;
  return (columns / blockSize) * (scaleBytes + (blockSize * numberBits[type]) / 8);
}

/**
 * Whole rows as a file has them. A quantised weight is its number times the scale of its
 * block; scales are chosen as for a graph in `q8` or `q4` (`block-quantisation.ts`).
 */
export function encodeRows(values: Float32Array, columns: number, type: GgufType): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  // llama.cpp's kernels for 8 bits take numbers to be within ±127.
  const largest = type === "Q8_0" ? [-127] : undefined;
  const bits = numberBits[type];
  const { packed, scales } = quantiseRows(values, columns, bits, roundToFloat16, largest);
  const halves = new Uint8Array(float32ToFloat16(scales).buffer);
  const numberBytes = (blockSize * bits) / 8;
  const blockBytes = scaleBytes + numberBytes;
  const encoded = new Uint8Array(scales.length * blockBytes);
  for (let block = 0; block < scales.length; block++) {
    const at = block * blockBytes;
    encoded.set(halves.subarray(scaleBytes * block, scaleBytes * (block + 1)), at);
    const numbers = packed.subarray(block * numberBytes, (block + 1) * numberBytes);
    const into = encoded.subarray(at + scaleBytes, at + blockBytes);
    if (type === "Q8_0") toSigned(numbers, into);
    else toHalves(numbers, into);
  }
  return encoded;
}

/** From numbers that are stored plus 128. */
function toSigned(numbers: Uint8Array, into: Uint8Array): void {
  for (let i = 0; i < numbers.length; i++) into[i] = (numbers[i] as number) ^ 0x80;
}

/** From two neighbours in a byte to one of the first half and one of the second. */
function toHalves(numbers: Uint8Array, into: Uint8Array): void {
  const half = blockSize / 2;
  for (let i = 0; i < half; i++) into[i] = nibble(numbers, i) | (nibble(numbers, i + half) << 4);
}

function nibble(numbers: Uint8Array, index: number): number {
  const byte = numbers[index >> 1] as number;
  return index % 2 === 0 ? byte & 0x0f : byte >> 4;
}
