/** A value of a GGUF file's metadata, with the type that readers expect. */
export type GgufValue =
  | { readonly type: "uint32" | "int32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "int32s"; readonly values: readonly number[] }
  | { readonly type: "strings"; readonly values: readonly string[] };

/** Metadata by key, in the order in which they are written. */
export type GgufMetadata = readonly (readonly [key: string, value: GgufValue])[];

/** How a tensor's numbers are stored. */
export type GgufType = "F32" | "Q8_0" | "Q4_0";

/** What a file says of a tensor. */
export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major: rows first. A file has them the other way around. */
  readonly shape: readonly number[];
  readonly type: GgufType;
  /** From the beginning of the data; a multiple of {@link alignment}. */
  readonly offset: number;
}

/** Bytes of which each tensor's place is a multiple, as readers take it where a file says nothing. */
export const alignment = 32;

/** The next place that is aligned. */
export function aligned(position: number): number {
  return Math.ceil(position / alignment) * alignment;
}

const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** Numbers of `enum ggml_type`. */
const tensorTypes: Readonly<Record<GgufType, number>> = { F32: 0, Q4_0: 2, Q8_0: 8 };

/**
 * Everything in a GGUF file of version 3 before its data, padded to their beginning.
 * Little-endian throughout.
 */
export function encodeGgufHeader(
  metadata: GgufMetadata,
  tensors: readonly GgufTensorInfo[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [
    Buffer.from("GGUF"),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.length),
  ];
  for (const [key, value] of metadata) parts.push(text(key), ...encodeValue(value));
  for (const { name, shape, type, offset } of tensors) {
    parts.push(text(name), uint32(shape.length), ...shape.toReversed().map(uint64));
    parts.push(uint32(tensorTypes[type]), uint64(offset));
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = new Uint8Array(aligned(length));
  let position = 0;
  for (const part of parts) {
    header.set(part, position);
    position += part.length;
  }
  return header;
}

function encodeValue(value: GgufValue): Uint8Array[] {
  switch (value.type) {
    case "uint32":
      return [uint32(valueTypes.uint32), uint32(value.value)];
    case "int32":
      return [uint32(valueTypes.int32), int32(value.value)];
    case "float32":
      return [uint32(valueTypes.float32), float32(value.value)];
    case "bool":
      return [uint32(valueTypes.bool), Uint8Array.of(value.value ? 1 : 0)];
    case "string":
      return [uint32(valueTypes.string), text(value.value)];
    case "int32s":
      return [...arrayHead(valueTypes.int32, value.values.length), ...value.values.map(int32)];
    case "strings":
      return [...arrayHead(valueTypes.string, value.values.length), ...value.values.map(text)];
  }
}

function arrayHead(type: number, length: number): Uint8Array[] {
  return [uint32(valueTypes.array), uint32(type), uint64(length)];
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function float32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
