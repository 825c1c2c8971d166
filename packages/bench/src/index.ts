export type { Claim } from "./claims.js";
export { parseClaims, readClaims, shippedClaimsFile } from "./claims-file.js";
export { systemClock, type Clock } from "./clock.js";
export { definitions } from "./definitions.js";
export {
  stress,
  type StressOptions,
  type StressReport,
  type StressRound,
} from "./endurance/stress.js";
export { findProfile, profileNames, type Profile, type Selection } from "./profiles.js";
export type { BenchProgress } from "./progress.js";
export {
  InvalidRecordError,
  parseRecord,
  readableRecordVersions,
  recordSchema,
  recordVersion,
  treatments,
  type Cell,
  type ClaimMetric,
  type ClaimResult,
  type RawSamplesReference,
  type ResultRecord,
  type Treatment,
  type Verdict,
} from "./record.js";
export type { TokenTimes } from "./recorder.js";
export { runBench, type BenchOptions, type BenchOutcome } from "./run-bench.js";
export type {
  GeneratorPlan,
  OpenGenerator,
  ScenarioGenerator,
} from "./scenarios/generator-plan.js";
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
} from "./scenarios/stage.js";
export {
  readRawSamples,
  type RawBlock,
  type RawRun,
  type RawSamples,
  type RawSamplesIdentity,
} from "./raw-samples.js";
export { renderSummary, type SummaryOptions } from "./summary.js";
export {
  verifyRecord,
  type Agreement,
  type CellVerification,
  type Verification,
} from "./verify.js";
