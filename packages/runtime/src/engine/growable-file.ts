import { open } from "node:fs/promises";

/**
 * Bytes that {@link withAppended} finds room for behind a file that
 * {@link readFileWithRoom} read: many times what a patch of a graph has.
 */
const roomBytes = 1 << 20;

/** A file's bytes, in memory with some room behind them. @throws what Node throws for a file that cannot be read */
export async function readFileWithRoom(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    // Not from Node's pool, which belongs to others too.
    const memory = Buffer.allocUnsafeSlow(size + roomBytes);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await handle.read(memory, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return memory.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/**
 * These bytes with others behind them: in the same memory if it has room, since a
 * second copy of a model's weights is the most that loading needs.
 *
 * @param bytes from {@link readFileWithRoom}; nothing else may be appended to them
 */
export function withAppended(bytes: Uint8Array, ...others: readonly Uint8Array[]): Uint8Array {
  const added = Buffer.concat(others);
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset + length + added.length > buffer.byteLength) return Buffer.concat([bytes, added]);
  const whole = Buffer.from(buffer, byteOffset, length + added.length);
  whole.set(added, length);
  return whole;
}
