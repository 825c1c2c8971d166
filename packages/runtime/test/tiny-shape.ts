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
