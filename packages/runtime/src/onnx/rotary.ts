import type { LlamaShape, RopeScaling } from "./llama-config.js";

/** cos or sin of position · frequency, [contextLength, headDimension / 2]. */
export function rotaryTable(shape: LlamaShape, wave: (angle: number) => number): Float32Array {
  const half = shape.headDimension / 2;
  const table = new Float32Array(shape.contextLength * half);
  for (let i = 0; i < half; i++) {
    const frequency = scaled(shape.ropeTheta ** (-i / half), shape.ropeScaling);
    for (let position = 0; position < shape.contextLength; position++) {
      table[position * half + i] = wave(position * frequency);
    }
  }
  return table;
}

/**
 * Llama 3 slows the waves that are long against the context it was first trained
 * on, leaves the short ones as they are, and blends between.
 */
function scaled(frequency: number, scaling: RopeScaling | undefined): number {
  if (scaling === undefined) return frequency;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
  // How often the wave turns within that context.
  const turns = (originalContextLength * frequency) / (2 * Math.PI);
  const share = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  const kept = Math.min(Math.max(share, 0), 1);
  return frequency * (kept + (1 - kept) / factor);
}
