export type { RuntimeErrorCodes } from "../error-codes.js";
export { buildModel, buildRandomModel } from "./build/build-model.js";
export type {
  BuildModelOptions,
  BuildProgress,
  BuildRandomModelOptions,
  BuildTarget,
} from "./build/build-options.js";
export { parameterCount, type LlamaShape } from "./build/llama-shape.js";
export type { RopeScaling } from "./build/rotary-frequencies.js";
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
