export type { RuntimeErrorCodes } from "../error-codes.js";
export { buildModel, buildRandomModel } from "./build/build-model.js";
export type {
  BuildModelOptions,
  BuildProgress,
  BuildRandomModelOptions,
  BuildTarget,
} from "./build/build-options.js";
export { parameterCount, type LlamaShape, type RopeScaling } from "./build/llama-config.js";
export { llamaPresets } from "./build/llama-presets.js";
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
