/**
 * Bytes that are printable in Latin-1 are spelt by themselves, the others by
 * the characters from U+0100 on, in order; so the space is "Ġ".
 */
const byteOfUnit: Uint8Array = makeTable();

/**
 * The bytes a token of a byte-level vocabulary stands for. A character that
 * stands for none is read as a zero byte, as the tokenizer library does.
 */
export function byteLevelBytes(spelling: string): Uint8Array {
  // All characters that stand for a byte are one UTF-16 unit long.
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteOfUnit[spelling.charCodeAt(i)] ?? 0;
  return bytes;
}

/** The character that stands for a byte in a byte-level vocabulary. */
export function byteLevelSpelling(byte: number): string {
  // A unit that stands for no byte is a zero in the table.
  const unit = byte === 0 ? 0x100 : byteOfUnit.indexOf(byte);
  return String.fromCharCode(unit);
}

function makeTable(): Uint8Array {
  const table = new Uint8Array(0x200);
  let next = 0x100;
  for (let byte = 0; byte < 0x100; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    table[printable ? byte : next++] = byte;
  }
  return table;
}
