import { blockSize } from "../block-quantisation.js";
import type { WeightSource } from "../weight-source.js";
import { encodeRows, rowBytes } from "./gguf-blocks.js";
import type { GgufType } from "./gguf-header.js";

/** A tensor of a file, and how it is made. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: GgufType;
  readonly byteLength: number;
  /** Its bytes in their order, in pieces. */
  readonly pieces: (source: WeightSource) => AsyncIterable<readonly Uint8Array[]>;
}

/** A tensor of a checkpoint. */
export interface CheckpointWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

const layerNames: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

const otherNames: Readonly<Record<string, string>> = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
};

/** What llama.cpp calls a weight of a Llama; undefined for one that it does not have. */
function llamaName(name: string): string | undefined {
  const [, layer, part = ""] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
  if (layer === undefined) return otherNames[name];
  const own = layerNames[part];
  return own === undefined ? undefined : `blk.${layer}.${own}.weight`;
}

/**
 * A weight of a Llama as a tensor of its file. Vectors, and matrices whose rows do not
 * fill blocks, stay floats.
 *
 * @throws RangeError for a weight that no Llama has
 */
export function llamaTensor(
  { name: source, shape }: CheckpointWeight,
  headDimension: number,
  wanted: GgufType,
): GgufTensor {
  const name = llamaName(source);
  if (name === undefined) throw new RangeError(`A Llama has no weight ${source}.`);
  const [rows = 1, columns] = shape;
  const type = columns !== undefined && columns % blockSize === 0 ? wanted : "F32";
  const width = columns ?? 1;
  const isTurned = /\.attn_[qk]\.weight$/.test(name);
  return {
    name,
    shape,
    type,
    byteLength: rows * rowBytes(width, type),
    async *pieces(weights) {
      const given = weights(source, shape);
      const values = isTurned ? inNeighbouringPairs(given, headDimension, width) : given;
      for await (const piece of values) yield [encodeRows(piece, width, type)];
    },
  };
}

/** A tensor of numbers that are computed here. */
export function computedTensor(name: string, values: Float32Array): GgufTensor {
  return {
    name,
    shape: [values.length],
    type: "F32",
    byteLength: values.byteLength,
    async *pieces() {
      yield [encodeRows(values, 1, "F32")];
    },
  };
}

/**
 * Reorders the rows of each head. Hugging Face turns the pairs (i, i + half of the head),
 * llama.cpp's rotation of a Llama the pairs (2i, 2i + 1): the row of the one goes to
 * the place of the other.
 */
async function* inNeighbouringPairs(
  pieces: AsyncIterable<Float32Array>,
  headDimension: number,
  columns: number,
): AsyncIterable<Float32Array> {
  const head = new Float32Array(headDimension * columns);
  const half = headDimension / 2;
  let row = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += columns) {
      const place = row < half ? 2 * row : 2 * (row - half) + 1;
      head.set(piece.subarray(start, start + columns), place * columns);
      row += 1;
      if (row < headDimension) continue;
      yield head;
      row = 0;
    }
  }
}
