import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import type { JsonObject } from "../../../json-object.js";
import { ElementType } from "../../protobuf.js";
import { buildDecoderGraph } from "../decoder-graph.js";
import type { DecoderShape } from "../decoder-shape.js";
import type { TensorGroup } from "../graph-builder.js";
import type { FilePlan } from "../model-writer.js";
import { ropeFields } from "../rope-config.js";
import { plainFrequencies } from "../rotary-frequencies.js";
import {
  aligned,
  encodeGgufHeader,
  type GgufMetadata,
  type GgufType,
  type GgufValue,
} from "./gguf-header.js";
import { computedTensor, llamaTensor } from "./llama-tensors.js";

/** The dtypes that a GGUF file is built in. */
export type GgufDtype = "fp32" | "q8" | "q4";

/** What a dtype is in GGUF. Numbers of `enum llama_ftype`. */
const formats: Readonly<Record<GgufDtype, { readonly type: GgufType; readonly number: number }>> = {
  fp32: { type: "F32", number: 0 },
  q8: { type: "Q8_0", number: 7 },
  q4: { type: "Q4_0", number: 2 },
};

/** All of {@link GgufDtype}. */
export const ggufDtypes: readonly GgufDtype[] = Object.keys(formats) as GgufDtype[];

/** The file of a dtype, such as `model-q4_0.gguf`. */
export function ggufFileName(dtype: GgufDtype): string {
  return `model-${formats[dtype].type.toLowerCase()}.gguf`;
}

/** A Llama that can be written. */
export interface GgufModel {
  readonly shape: DecoderShape;
  readonly metadata: GgufMetadata;
  /** What it takes from the checkpoint. */
  readonly tensorGroups: readonly TensorGroup[];
  /** What the rotation's plain frequencies are divided by; undefined: by nothing. */
  readonly frequencyFactors: Float32Array | undefined;
}

/**
 * Describes a model in llama.cpp's terms.
 *
 * @param config the parsed `config.json` of the shape
 * @param file the path the user knows it by, for the errors
 * @param tokenizer see `readGgufTokenizer`
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for an architecture other than Llama, or one of its
 *   variants that a file cannot say
 */
export function describeGgufModel(
  config: JsonObject,
  shape: DecoderShape,
  file: string,
  tokenizer: GgufMetadata,
): GgufModel {
  const architecture = [config["architectures"]].flat()[0] ?? config["model_type"];
  if (architecture !== "LlamaForCausalLM" && architecture !== "llama") {
    throw unsupported(file, `architecture ${JSON.stringify(architecture)}`);
  }
  const { attention, rotations } = shape;
  if (attention.bias !== undefined) throw unsupported(file, "attention_bias");
  const [rotation] = rotations;
  if (rotation === undefined || rotation.scale !== 1 || rotation.long !== undefined) {
    throw unsupported(file, "this kind of rotation");
  }
  const { headDimension } = attention;
  const { theta } = ropeFields(config, 10_000, file);
  const factors = Float32Array.from(
    plainFrequencies(theta, headDimension),
    (plain, pair) => plain / (rotation.frequencies[pair] as number),
  );
  const sizes: Readonly<Record<string, number>> = {
    vocab_size: shape.vocabularySize,
    context_length: shape.contextLength,
    embedding_length: shape.hiddenSize,
    block_count: shape.layers.length,
    feed_forward_length: shape.feedForward.size,
    "attention.head_count": attention.heads,
    "attention.head_count_kv": attention.keyValueHeads,
    "attention.key_length": headDimension,
    "attention.value_length": headDimension,
    "rope.dimension_count": headDimension,
  };
  return {
    shape,
    metadata: [
      ["general.architecture", { type: "string", value: "llama" }],
      ["general.name", { type: "string", value: "streamgauge build" }],
      ...Object.entries(sizes).map(([name, value]) => llamaField(name, { type: "uint32", value })),
      llamaField("attention.layer_norm_rms_epsilon", {
        type: "float32",
        value: shape.norms.epsilon,
      }),
      llamaField("rope.freq_base", { type: "float32", value: theta }),
      ...tokenizer,
    ],
    // A graph's names and order: so a file of random weights has the same ones.
    tensorGroups: buildDecoderGraph(shape, { float: ElementType.float32 }).tensorGroups,
    frequencyFactors: factors.every((factor) => factor === 1) ? undefined : factors,
  };
}

/** Lays out the file of a dtype in a folder. All lengths follow from the shapes. */
export function planGgufFile(model: GgufModel, dtype: GgufDtype, folder: string): FilePlan {
  const { type, number } = formats[dtype];
  const { headDimension } = model.shape.attention;
  const weights = model.tensorGroups.flatMap((group) => group.weights);
  const tensors = [
    ...weights.map((weight) => llamaTensor(weight, headDimension, type)),
    ...(model.frequencyFactors === undefined
      ? []
      : [computedTensor("rope_freqs.weight", model.frequencyFactors)]),
  ];
  let end = 0;
  const infos = tensors.map(({ name, shape, type: stored, byteLength }) => {
    const offset = aligned(end);
    end = offset + byteLength;
    return { name, shape, type: stored, offset, byteLength };
  });
  const metadata: GgufMetadata = [
    ...model.metadata,
    ["general.file_type", { type: "uint32", value: number }],
    ["general.quantization_version", { type: "uint32", value: 2 }],
  ];
  const header = encodeGgufHeader(metadata, infos);
  const path = join(folder, ggufFileName(dtype));
  const padding = infos.flatMap(({ offset, byteLength }) => {
    const position = offset + byteLength;
    const bytes = new Uint8Array(aligned(position) - position);
    return bytes.length === 0 ? [] : [{ file: path, position: header.length + position, bytes }];
  });
  return {
    file: ggufFileName(dtype),
    layout: {
      files: [path],
      totalBytes: header.length + aligned(end),
      headers: [{ file: path, position: 0, bytes: header }, ...padding],
      places: new Map(
        infos.map(({ name, offset }) => [name, { file: path, position: header.length + offset }]),
      ),
    },
    tensorGroups: tensors.map((tensor) => ({ tensors: [tensor], pieces: tensor.pieces })),
  };
}

function llamaField(name: string, value: GgufValue): readonly [string, GgufValue] {
  return [`llama.${name}`, value];
}

function unsupported(file: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file}: ${what} is not written as GGUF; LlamaForCausalLM is, without biases. Build an ONNX ` +
      `model, or convert the checkpoint with llama.cpp's own script.`,
  );
}
