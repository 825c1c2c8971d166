let table: Float32Array | undefined;

/** Largest finite half-precision number. */
export const largestFloat16 = 65_504;

/** Widens IEEE half-precision numbers, given as their bits. Exact. */
export function float16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  table ??= makeTable();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i] ?? 0] ?? 0;
  return values;
}

/** Widens bfloat16 numbers, given as their bits: the upper halves of float32 numbers. Exact. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

/**
 * Bits of the half-precision numbers nearest to these, ties to the even one.
 * What rounds beyond {@link largestFloat16} becomes an infinity.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = narrow(words[i] ?? 0, values[i] ?? 0);
  return halves;
}

/** The half-precision number nearest to this one. */
export function roundToFloat16(value: number): number {
  scratch[0] = value;
  table ??= makeTable();
  return table[narrow(scratchBits[0] ?? 0, value)] ?? 0;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function narrow(word: number, value: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  // The least float32 that rounds beyond the largest half, an infinity, or no number.
  if (magnitude >= 0x477f_f000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  // Below the least normal half, 2⁻¹⁴, the fraction counts units of 2⁻²⁴.
  if (magnitude < 0x3880_0000) return sign | roundToEven(Math.abs(value) * 2 ** 24);
  // The exponents' zeros differ by 112, the fractions' lengths by 13 bits; a carry runs on.
  const shifted = magnitude - (112 << 23);
  return sign | ((shifted + 0xfff + ((shifted >>> 13) & 1)) >>> 13);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** All 65,536 values (256 KiB): looking one up is several times faster than computing it. */
function makeTable(): Float32Array {
  return Float32Array.from({ length: 0x10000 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
