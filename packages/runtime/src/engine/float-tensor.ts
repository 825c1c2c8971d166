import { Tensor } from "onnxruntime-node";
import { float16ToFloat32 } from "../onnx/half-precision.js";

/** Element types a cache or logits may have. */
export type FloatType = "float32" | "float16";

/** Numbers, or the bits of half-precision numbers. */
export type Floats = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

export function isFloatType(type: string): type is FloatType {
  return type === "float32" || type === "float16";
}

/** Zeros. */
export function createFloats(type: FloatType, length: number): Floats {
  return type === "float16" ? new Uint16Array(length) : new Float32Array(length);
}

/** A tensor over these very numbers. */
export function floatTensor(type: FloatType, data: Floats, dims: readonly number[]): Tensor {
  if (data instanceof Float32Array) return new Tensor("float32", data, dims);
  const tensor = new Tensor(type, data, dims);
  // Where there is a Float16Array, the tensor makes one of the bits; but the binding takes only bits.
  if (!(tensor.data instanceof Uint16Array)) Object.assign(tensor, { cpuData: data });
  return tensor;
}

/** A tensor's own memory; half-precision numbers as bits, also where there is a Float16Array. */
export function rawFloats({ data, type }: Tensor): Floats {
  if (type !== "float16") return data as Float32Array<ArrayBuffer>;
  const { buffer, byteOffset, length } = data as Uint16Array<ArrayBuffer>;
  return new Uint16Array(buffer, byteOffset, length);
}

/** A tensor's numbers from `start` on as float32: a view where they are, else a copy. */
export function widenFloats(tensor: Tensor, start: number): Float32Array {
  const floats = rawFloats(tensor).subarray(start);
  return floats instanceof Float32Array ? floats : float16ToFloat32(floats);
}
