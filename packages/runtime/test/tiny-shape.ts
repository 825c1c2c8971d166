import type { LlamaShape } from "@streamgauge/runtime/onnx";

/** A Llama as small as it can be: a model with random weights takes no time to make. */
export const tinyShape: LlamaShape = {
  vocabularySize: 64,
  hiddenSize: 16,
  intermediateSize: 32,
  layers: 1,
  attentionHeads: 2,
  keyValueHeads: 1,
  headDimension: 16,
  contextLength: 32,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  tiedEmbeddings: true,
};

/** A Llama of two layers, whose matrices can be told apart by their sizes. */
export const smallShape: LlamaShape = {
  ...tinyShape,
  vocabularySize: 96,
  hiddenSize: 64,
  intermediateSize: 96,
  layers: 2,
  attentionHeads: 4,
  keyValueHeads: 2,
  contextLength: 64,
  tiedEmbeddings: false,
};
