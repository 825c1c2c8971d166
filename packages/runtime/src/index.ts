export type { CheckedPart, TokenDifference } from "./check/check-generations.js";
export { checkModel, type CheckModelOptions, type ModelCheck } from "./check/check-model.js";
export type { CheckProgress } from "./check/check-progress.js";
export type { CheckedText } from "./check/check-text.js";
export { embeddedModel } from "./embedded-model.js";
export type { RuntimeErrorCodes } from "./error-codes.js";
export type { EngineDescription } from "./engine/engine.js";
export type { LoadProgress } from "./engine/load-progress.js";
export type { RecommendedSampling } from "./engine/model-settings.js";
export { pacedModel, type PacedModel, type PacedModelOptions } from "./engine/paced-model.js";
export { createInlineGenerator, type InlineGenerator } from "./host/inline-generator.js";
export type { GenerationObserver, GenerationReport } from "./host/generation-observer.js";
export type { LatencyDistribution } from "./host/latency-histogram.js";
export type { RuntimeMetrics } from "./host/metrics.js";
export type { EngineOptions, RuntimeLoadProgress, RuntimeOptions } from "./host/options.js";
export {
  createRuntime,
  type CloseOptions,
  type Runtime,
  type RuntimeDescription,
  type RuntimeMemory,
} from "./host/runtime.js";
export type { PulledName } from "./hub/hub-cache.js";
export { locateModel, type ModelLocation } from "./hub/locate-model.js";
export { pullModel, type PulledModel, type PullOptions, type PullProgress } from "./hub/pull.js";
export type { ModelDtype } from "./onnx/model-dtype.js";
export type { RunningWorkerDiagnostic } from "./host/worker-diagnostic.js";
export type { WorkerMemory, WorkerReport } from "./protocol.js";
export type { RingOptions, RingWait } from "./ring/index.js";
