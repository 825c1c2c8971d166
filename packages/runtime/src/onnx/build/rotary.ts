import type { LlamaShape, RopeScaling } from "./llama-config.js";

/** Positions computed at once. */
const positionsPerPiece = 4096;

/**
 * cos or sin of position · frequency, [contextLength, headDimension / 2], in pieces
 * of whole positions: contexts can be a million long.
 */
export function* rotaryTable(
  shape: LlamaShape,
  wave: (angle: number) => number,
): Generator<Float32Array> {
  const half = shape.headDimension / 2;
  const frequencies = Array.from({ length: half }, (_, i) =>
    scaled(shape.ropeTheta ** (-i / half), shape.ropeScaling),
  );
  for (let start = 0; start < shape.contextLength; start += positionsPerPiece) {
    const positions = Math.min(positionsPerPiece, shape.contextLength - start);
    const piece = new Float32Array(positions * half);
    for (let position = 0; position < positions; position++) {
      for (const [i, frequency] of frequencies.entries()) {
        piece[position * half + i] = wave((start + position) * frequency);
      }
    }
    yield piece;
  }
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
