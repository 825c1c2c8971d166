/** Weights that share one scale: neighbours along a row. */
export const blockSize = 32;

/** Blocks of one row; the last one may be padded. */
export function blocksPerRow(columns: number): number {
  return Math.ceil(columns / blockSize);
}

/** Rows of a matrix in blocks of {@link blockSize} weights. */
export interface QuantisedRows {
  /**
   * Per block `blockSize · bits / 8` bytes; of two 4-bit numbers in a byte the
   * lower comes first. Stored is the number plus half the range, so that zero is
   * 8 or 128; padding is zero.
   */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** One per block: a weight is its number times this. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * What the weight of largest magnitude in a block is made: the scale follows.
 * The range ends at −8 and 7, or −128 and 127. With so few numbers as four bits
 * have, it can pay to round others better and to cut off the largest; which of
 * these does least harm is tried for each block.
 */
const usualTrials: Readonly<Record<4 | 8, readonly number[]>> = {
  4: [-8, -7.5, -8.5, -7, -9, 7, 7.5, 8, 8.5, 9],
  8: [-128],
};

/**
 * Quantises whole rows, symmetrically about zero, with the least squared error
 * that the trials give for each block.
 *
 * @param values finite, row-major, a multiple of `columns` long
 * @param roundScale what storing a scale makes of it; weights are rounded for the result
 * @param trials what a block's weight of largest magnitude is made, each in turn; by default what
 *   the graphs' operators do best with
 */
export function quantiseRows(
  values: Float32Array,
  columns: number,
  bits: 4 | 8,
  roundScale: (scale: number) => number,
  trials: readonly number[] = usualTrials[bits],
): QuantisedRows {
  const rows = values.length / columns;
  const blocks = blocksPerRow(columns);
  const half = 2 ** (bits - 1);
  // Padding, and blocks of nothing else, hold zeros.
  const packed = new Uint8Array((rows * blocks * blockSize * bits) / 8).fill(
    bits === 4 ? 0x88 : 0x80,
  );
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * columns + block * blockSize;
      const weights = values.subarray(start, Math.min(start + blockSize, (row + 1) * columns));
      const index = row * blocks + block;
      const scale = chooseScale(weights, trials, half, roundScale);
      scales[index] = scale;
      if (scale === 0) continue;
      for (let i = 0; i < weights.length; i++) {
        const stored = nearest(weights[i] ?? 0, scale, half) + half;
        const position = index * blockSize + i;
        if (bits === 8) packed[position] = stored;
        else {
          const byte = packed[position >> 1] ?? 0;
          packed[position >> 1] =
            i % 2 === 0 ? (byte & 0xf0) | stored : (byte & 0x0f) | (stored << 4);
        }
      }
    }
  }
  return { packed, scales };
}

/** Zero where all weights are, or are too small for their scale to be stored. */
function chooseScale(
  weights: Float32Array,
  candidates: readonly number[],
  half: number,
  roundScale: (scale: number) => number,
): number {
  let largest = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (Math.abs(weight) > Math.abs(largest)) largest = weight;
  }
  let best = 0;
  let leastError = Infinity;
  for (const candidate of candidates) {
    const scale = roundScale(largest / candidate);
    if (scale === 0) continue;
    const error = candidates.length > 1 ? squaredError(weights, scale, half) : 0;
    if (error < leastError) {
      best = scale;
      leastError = error;
    }
  }
  return best;
}

function squaredError(weights: Float32Array, scale: number, half: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const error = nearest(weight, scale, half) * scale - weight;
    sum += error * error;
  }
  return sum;
}

function nearest(weight: number, scale: number, half: number): number {
  const number = Math.floor(weight / scale + 0.5);
  return number < -half ? -half : number >= half ? half - 1 : number;
}
