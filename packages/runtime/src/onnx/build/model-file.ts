import { open, type FileHandle } from "node:fs/promises";

import type { TensorGroup } from "./graph-builder.js";
import type { WeightSource } from "./weight-source.js";
import type { ModelLayout, Place } from "./model-layout.js";

/** Tensors that one pass over the weights makes; see `TensorGroup`. */
export interface WrittenGroup extends Pick<TensorGroup, "pieces"> {
  readonly tensors: readonly { readonly name: string }[];
}

/**
 * Writes a model's files in one pass over the weights, piece after piece, so
 * that memory stays near the size of one.
 *
 * @param onPiece called after each piece with the tensor's name and all bytes written so far
 */
export async function writeModelFiles(
  layout: ModelLayout,
  tensorGroups: readonly WrittenGroup[],
  weights: WeightSource,
  onPiece: (tensor: string, writtenBytes: number) => void,
): Promise<void> {
  const handles = new Map<string, FileHandle>();
  let writtenBytes = 0;
  async function write(bytes: Uint8Array, place: Place): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const position = place.position + done;
      const handle = handles.get(place.file) as FileHandle;
      done += (await handle.write(bytes, done, bytes.length - done, position)).bytesWritten;
    }
    writtenBytes += bytes.length;
  }
  try {
    for (const file of layout.files) handles.set(file, await open(file, "wx"));
    for (const header of layout.headers) await write(header.bytes, header);
    for (const { tensors, pieces } of tensorGroups) {
      const ends = tensors.map(({ name }) => layout.places.get(name) as Place);
      for await (const piece of pieces(weights)) {
        for (const [index, bytes] of piece.entries()) {
          const place = ends[index] as Place;
          await write(bytes, place);
          ends[index] = { ...place, position: place.position + bytes.length };
        }
        onPiece(tensors[0]?.name ?? "", writtenBytes);
      }
    }
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}
