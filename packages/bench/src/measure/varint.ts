/**
 * Integers as bytes: zigzag (0, −1, 1, −2, … become 0, 1, 2, 3, …) and then
 * seven bits to a byte, least significant first, the high bit set on all but the
 * last. Small magnitudes take one byte, whatever their sign, and no byte order
 * has to be agreed upon. Arithmetic instead of bit operations: nanoseconds do not
 * fit into 32 bits.
 *
 * @module
 */

/** Largest magnitude that can be written: its double is still a safe integer. */
const largestMagnitude = 2 ** 52 - 1;

/**
 * Appends an integer to bytes.
 *
 * @throws RangeError for a fraction, NaN, or a magnitude of 2⁵² or more
 */
export function pushVarint(bytes: number[], value: number): void {
  if (!Number.isInteger(value) || Math.abs(value) > largestMagnitude) {
    throw new RangeError(`${value} is no integer below 2^52 in magnitude.`);
  }
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Reads integers from bytes, one after the other. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether every byte has been read. */
  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** @throws RangeError when the bytes end, or make no integer that can be written */
  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) throw new RangeError("The bytes end in the middle of a number.");
      this.#position += 1;
      value += (byte % 128) * scale;
      if (value > 2 * largestMagnitude) throw new RangeError("A number has too many bytes.");
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
}
