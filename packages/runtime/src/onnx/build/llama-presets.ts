import type { LlamaShape } from "./llama-shape.js";

/**
 * Shapes for comparisons of speed across sizes, built with random weights by
 * `buildRandomModel`. The two small ones are the proportions of the widely
 * known stories15M and stories42M, the large one that of SmolLM2-135M; the
 * context is the same for all, so that only the size differs.
 */
export const llamaPresets: Readonly<Record<"15M" | "42M" | "135M", LlamaShape>> = {
  "15M": {
    vocabularySize: 32_000,
    hiddenSize: 288,
    intermediateSize: 768,
    layers: 6,
    attentionHeads: 6,
    keyValueHeads: 6,
    headDimension: 48,
    contextLength: 8192,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    tiedEmbeddings: true,
  },
  "42M": {
    vocabularySize: 32_000,
    hiddenSize: 512,
    intermediateSize: 1376,
    layers: 8,
    attentionHeads: 8,
    keyValueHeads: 8,
    headDimension: 64,
    contextLength: 8192,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    tiedEmbeddings: true,
  },
  "135M": {
    vocabularySize: 49_152,
    hiddenSize: 576,
    intermediateSize: 1536,
    layers: 30,
    attentionHeads: 9,
    keyValueHeads: 3,
    headDimension: 64,
    contextLength: 8192,
    normEpsilon: 1e-5,
    ropeTheta: 100_000,
    tiedEmbeddings: true,
  },
};
