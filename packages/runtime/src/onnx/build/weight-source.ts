/**
 * Where a graph takes its weights from: a tensor by its Hugging Face name and
 * the shape the configuration gives it, as row-major float32, in pieces of whole
 * rows. Finite numbers only. One tensor after the other; a piece may be
 * overwritten by the next.
 */
export type WeightSource = (
  name: string,
  shape: readonly number[],
) => AsyncIterable<Float32Array<ArrayBuffer>>;
