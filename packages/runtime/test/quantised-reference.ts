/** What quantised rows stand for, read back by the operator's documented layout alone. */
export function dequantise(
  { packed, scales }: { readonly packed: Uint8Array; readonly scales: Float32Array },
  columns: number,
  bits: 4 | 8,
): Float32Array {
  const blocks = Math.ceil(columns / 32);
  const rows = scales.length / blocks;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const position = row * blocks * 32 + column;
      const stored =
        bits === 8 ? packed[position]! : (packed[position >> 1]! >> (4 * (position % 2))) & 15;
      const scale = scales[row * blocks + Math.floor(column / 32)]!;
      values[row * columns + column] = (stored - 2 ** (bits - 1)) * scale;
    }
  }
  return values;
}

/**
 * What MatMulNBits of accuracy level 4 makes of its input before it multiplies: whole numbers up to
 * ±127, with a scale for each 32. Computed as the operator does, because rows of a quantised embedding
 * lie in the middle between two numbers again and again.
 */
export function roundActivations(values: readonly number[]): number[] {
  const rounded: number[] = [];
  for (let start = 0; start < values.length; start += 32) {
    const block = values.slice(start, start + 32).map(Math.fround);
    const largest = Math.max(...block.map(Math.abs));
    const scale = Math.fround(largest / 127);
    const inverse = largest === 0 ? 0 : Math.fround(127 / largest);
    rounded.push(...block.map((value) => roundToEven(Math.fround(value * inverse)) * scale));
  }
  return rounded;
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
