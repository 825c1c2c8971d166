export { listClaims, readClaimList } from "./conclude/claim-list.js";
export { parseClaims, readClaims, shippedClaimsFile } from "./conclude/claims-file.js";
export type { EndpointOptions, ServerOptions } from "./plan/endpoint-plan.js";
export { systemClock, type Clock } from "./plan/clock.js";
export { definitions } from "./record/definitions.js";
export type { BenchErrorCodes } from "./error-codes.js";
export {
  stress,
  type StressOptions,
  type StressReport,
  type StressRound,
} from "./endurance/stress.js";
export { findPreset, presetNames, type Preset } from "./run/presets.js";
export type { Selection } from "./plan/selection.js";
export type { BenchProgress } from "./run/progress.js";
export {
  InvalidRecordError,
  parseRecord,
  recordSchema,
  recordVersion,
  treatments,
  type Cell,
  type Claim,
  type ClaimList,
  type ClaimMetric,
  type ClaimResult,
  type RawSamplesReference,
  type ResultRecord,
  type Treatment,
  type Verdict,
} from "./record/index.js";
export type { TokenTimes } from "./measure/recorder.js";
export type { BenchOptions, BenchOutcome } from "./run/bench-options.js";
export { runBench } from "./run/run-bench.js";
export type { GeneratorPlan, OpenGenerator, ScenarioGenerator } from "./plan/generator-plan.js";
export {
  defineScenario,
  type MeasurableGenerator,
  type ScenarioDefinition,
} from "./scenarios/define-scenario.js";
export { profileKinds } from "./scenarios/profiled.js";
export type {
  CellPlan,
  MeasurementContext,
  MeasurementPlan,
  Measurements,
  Scenario,
  Size,
  Stage,
} from "./plan/stage.js";
export {
  readRawSamples,
  type RawBlock,
  type RawRun,
  type RawSamples,
  type RawSamplesIdentity,
} from "./measure/raw-samples.js";
export { summarize, type RunPlace, type RunSummary } from "./summary/index.js";
export { answerLines, type AnswerOptions } from "./terminal/answer-lines.js";
export { renderSummary, type SummaryOptions } from "./terminal/summary.js";
export {
  verifyRecord,
  type Agreement,
  type CellVerification,
  type Verification,
} from "./run/verify.js";
