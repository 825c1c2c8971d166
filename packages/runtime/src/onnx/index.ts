export {
  buildModel,
  buildRandomModel,
  type BuildModelOptions,
  type BuildProgress,
  type BuildRandomModelOptions,
  type BuildTarget,
} from "./build-model.js";
export { parameterCount, type LlamaShape, type RopeScaling } from "./llama-config.js";
export { llamaPresets } from "./llama-presets.js";
export { buildDtypes, type BuildDtype } from "./model-dtype.js";
export { readGraphSummary, type GraphSummary } from "./graph-summary.js";
export {
  cacheCapacity,
  endOutput,
  largestLogitsOutput,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
} from "./in-place.js";
