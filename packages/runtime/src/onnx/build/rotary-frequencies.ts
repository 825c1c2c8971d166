/**
 * The frequencies that rotary embeddings are computed with, in the kinds that checkpoints have. The
 * rules are those of Hugging Face's `modeling_rope_utils.py`.
 */

/** θ^(−2i/size) for each pair of the `size` elements that are turned. */
export function plainFrequencies(theta: number, size: number): number[] {
  return Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size));
}

/** How Llama 3 stretches rotation to a context longer than the first it was trained on. */
export interface RopeScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  /** Above `lowFrequencyFactor`. */
  readonly highFrequencyFactor: number;
  readonly originalContextLength: number;
}

/**
 * Llama 3 slows the waves that are long against the context it was first trained on, leaves the short
 * ones as they are, and blends between.
 */
export function slowLongWaves(frequency: number, scaling: RopeScaling): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
  // How often the wave turns within that context.
  const turns = (originalContextLength * frequency) / (2 * Math.PI);
  const share = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  const kept = Math.min(Math.max(share, 0), 1);
  return frequency * (kept + (1 - kept) / factor);
}

/** How YaRN stretches rotation (arXiv 2309.00071). */
export interface YarnScaling {
  readonly factor: number;
  readonly originalContextLength: number;
  /** Turns within that context from which a frequency is kept. */
  readonly fastTurns: number;
  /** Turns below which a frequency is divided by `factor`. */
  readonly slowTurns: number;
  /** Whether the ramp between the two ends at whole pairs. */
  readonly wholePairs: boolean;
}

/**
 * YaRN's frequencies: a ramp over the pairs, from kept to divided, between those that turn as often
 * as its two borders say.
 */
export function yarnFrequencies(theta: number, size: number, scaling: YarnScaling): number[] {
  const { factor, originalContextLength, fastTurns, slowTurns, wholePairs } = scaling;
  /** The pair, as a fraction, whose wave turns so often in the original context. */
  const pairOf = (turns: number): number =>
    (size * Math.log(originalContextLength / (2 * Math.PI * turns))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(fastTurns), pairOf(slowTurns)];
  const low = Math.max(wholePairs ? Math.floor(first) : first, 0);
  const high = Math.min(wholePairs ? Math.ceil(last) : last, size - 1);
  // As in the reference, a ramp of no length has a thousandth.
  const length = high === low ? 0.001 : high - low;
  return plainFrequencies(theta, size).map((frequency, pair) => {
    const divided = Math.min(Math.max((pair - low) / length, 0), 1);
    return frequency * (1 - divided + divided / factor);
  });
}

/** The factor of cosines and sines that YaRN recommends. */
export function yarnMagnitude(factor: number, weight = 1): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}

/** The factor of cosines and sines that LongRoPE recommends (arXiv 2402.13753). */
export function longRopeMagnitude(factor: number, originalContextLength: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContextLength));
}
