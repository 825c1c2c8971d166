import { ElementType } from "./protobuf.js";

/**
 * How the numbers of a model are stored, in transformers.js's words, and what
 * its file is called for it.
 */
const fileSuffixes = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

/** A way to store a model's numbers that a folder may have a file for. */
export type ModelDtype = keyof typeof fileSuffixes;

/** All of {@link ModelDtype}. */
export const modelDtypes: readonly ModelDtype[] = Object.keys(fileSuffixes) as ModelDtype[];

/**
 * The graph's file in the folder `onnx`, as transformers.js looks for it.
 *
 * @param stem older exports with two branches are called "decoder_model_merged"
 */
export function graphFileName(
  dtype: ModelDtype,
  stem: "model" | "decoder_model_merged" = "model",
): string {
  return `${stem}${fileSuffixes[dtype]}.onnx`;
}

/** What numbers a graph computes with and keeps its weights in. */
export interface NumberFormat {
  /** Activations, the cache, and weights that are not quantised. */
  readonly float: typeof ElementType.float32 | typeof ElementType.float16;
  /** Bits of a quantised weight; undefined: matrices are stored as they are. */
  readonly weightBits?: 4 | 8;
}

/** A dtype that a model can be built in. */
export type BuildDtype = "fp32" | "fp16" | "q8" | "int8" | "q4" | "q4f16";

const { float16, float32 } = ElementType;

const formats: Readonly<Record<BuildDtype, NumberFormat>> = {
  fp32: { float: float32 },
  fp16: { float: float16 },
  // transformers.js knows 8 bits by three names, of which two are these weights.
  q8: { float: float32, weightBits: 8 },
  int8: { float: float32, weightBits: 8 },
  q4: { float: float32, weightBits: 4 },
  q4f16: { float: float16, weightBits: 4 },
};

/** All of {@link BuildDtype}. */
export const buildDtypes: readonly BuildDtype[] = Object.keys(formats) as BuildDtype[];

/** What a graph of this dtype computes with. */
export function numberFormat(dtype: BuildDtype): NumberFormat {
  return formats[dtype];
}
