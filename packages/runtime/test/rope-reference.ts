import type { CheckpointConfig } from "./random-checkpoint.js";

/** How far a position turns the pairs of a head, and what cosines and sines are multiplied by. */
export interface ReferenceRope {
  readonly frequencies: readonly number[];
  readonly magnitude: number;
}

interface RopeConfig {
  readonly rope_type?: string;
  readonly type?: string;
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
  readonly attention_factor?: number;
  readonly beta_fast?: number;
  readonly beta_slow?: number;
  readonly truncate?: boolean;
  readonly short_factor: readonly number[];
  readonly long_factor: readonly number[];
}

/**
 * Rotation as the papers and Hugging Face's `modeling_rope_utils.py` have it, by wavelengths and
 * inverse frequencies.
 *
 * @param ids how many there are in the context, for longrope
 */
export function referenceRope(
  config: CheckpointConfig,
  theta: number,
  scaling: unknown,
  ids: number,
): ReferenceRope {
  const size = config.head_dim * ((config["partial_rotary_factor"] as number | undefined) ?? 1);
  const plain = Array.from({ length: size / 2 }, (_, i) => 1 / theta ** ((2 * i) / size));
  const rope = (scaling ?? undefined) as RopeConfig | undefined;
  const type = rope?.rope_type ?? rope?.type ?? "default";
  const context = config["max_position_embeddings"] as number;
  if (rope === undefined || type === "default" || type === "dynamic") {
    return { frequencies: plain, magnitude: 1 };
  }
  if (type === "linear") {
    return { frequencies: plain.map((each) => each / rope.factor), magnitude: 1 };
  }
  if (type === "llama3") {
    return { frequencies: plain.map((each) => slowedByLlama3(each, rope)), magnitude: 1 };
  }
  if (type === "yarn") {
    const original = rope.original_max_position_embeddings;
    const dimensionOf = (turns: number): number =>
      (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    let low = dimensionOf(rope.beta_fast ?? 32);
    let high = dimensionOf(rope.beta_slow ?? 1);
    if (rope.truncate !== false) [low, high] = [Math.floor(low), Math.ceil(high)];
    [low, high] = [Math.max(low, 0), Math.min(high, size - 1)];
    const frequencies = plain.map((each, i) => {
      const interpolated = Math.min(1, Math.max(0, (i - low) / (high - low)));
      return (each / rope.factor) * interpolated + each * (1 - interpolated);
    });
    return { frequencies, magnitude: rope.attention_factor ?? 0.1 * Math.log(rope.factor) + 1 };
  }
  if (type === "longrope" || type === "su") {
    const original = config["original_max_position_embeddings"] as number;
    const factors = ids > original ? rope.long_factor : rope.short_factor;
    const magnitude = Math.sqrt(1 + Math.log(context / original) / Math.log(original));
    return { frequencies: plain.map((each, i) => each / factors[i]!), magnitude };
  }
  throw new Error(`The reference has no rotation ${type}.`);
}

/** Llama 3's rule by wavelengths, as its code has it. */
function slowedByLlama3(plain: number, rope: RopeConfig): number {
  const wavelength = (2 * Math.PI) / plain;
  const original = rope.original_max_position_embeddings;
  if (wavelength < original / rope.high_freq_factor) return plain;
  if (wavelength > original / rope.low_freq_factor) return plain / rope.factor;
  const smooth =
    (original / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return ((1 - smooth) * plain) / rope.factor + smooth * plain;
}
