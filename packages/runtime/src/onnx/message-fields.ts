import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Calls back behind the tag of each field of a message; the callback reads or skips the field. */
export function eachField(
  bytes: Uint8Array,
  visit: (field: number, reader: BinaryReader, type: WireType) => void,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    visit(field, reader, type);
  }
}

/** Calls back for each of a message's messages under one field number. */
export function eachMessage(
  bytes: Uint8Array,
  wanted: number,
  visit: (message: Uint8Array) => void,
): void {
  eachField(bytes, (field, reader, type) => {
    if (field === wanted) visit(reader.bytes());
    else reader.skip(type, field);
  });
}

/** The last of a message's strings under one field number. */
export function readString(bytes: Uint8Array, wanted: number): string | undefined {
  let found: string | undefined;
  eachField(bytes, (field, reader, type) => {
    if (field === wanted) found = reader.string();
    else reader.skip(type, field);
  });
  return found;
}

/** A field of integers, or one of them: writers may pack those of one message into one field. */
export function readIntegers(reader: BinaryReader, type: WireType): number[] {
  if (type !== WireType.LengthDelimited) return [Number(reader.int64())];
  const end = reader.uint32() + reader.pos;
  const integers: number[] = [];
  while (reader.pos < end) integers.push(Number(reader.int64()));
  return integers;
}
