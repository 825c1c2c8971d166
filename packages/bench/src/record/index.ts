/**
 * The result record: everything one run of the bench measured and concluded, as
 * plain JSON. Whoever renders a record computes nothing: each number and each
 * verdict that is shown is in it.
 *
 * The modules in `record/` import nothing from outside, so that a reader of
 * records needs nothing else.
 *
 * @module
 */
export type {
  Analysis,
  Comparison,
  SampleLevel,
  TailComparison,
  TreatmentSummary,
} from "./analysis.js";
export type { Block, Memory, Run } from "./block.js";
export type { CalibrationPoint, NetOverhead } from "./calibration.js";
export type { CallTree, CallTreeNode } from "./call-tree.js";
export type { Cell, ProcessPart, RawSamplesReference, Status } from "./cell.js";
export type { Claim, ClaimList } from "./claim-list.js";
export type { ClaimMetric, ClaimResult } from "./claims.js";
export type { CodeCategory } from "./code-category.js";
export type { Definition } from "./definition.js";
export type { Distribution, DistributionMetric, LatencySummary } from "./distribution.js";
export {
  engineComparison,
  type EngineBlock,
  type EngineClaim,
  type EngineComparison,
  type EngineContender,
  type EngineRun,
} from "./engine.js";
export {
  endpointMetrics,
  type EndpointComparison,
  type EndpointMetric,
  type RecordedEndpoint,
  type RecordedServer,
} from "./endpoint.js";
export type { Environment, EnvironmentSample, Instrument } from "./environment.js";
export type { Estimate, Estimates, Interval, ValueWithInterval } from "./estimates.js";
export type { AsyncActivityFindings, SlowGap, TimelineFindings } from "./event-findings.js";
export type { FailedMeasurement, Failure } from "./failure.js";
export {
  findAllocations,
  profilesOfKind,
  type HasProfiles,
  type ProfileOf,
} from "./find-profiles.js";
export type { GeneratorDescription } from "./generator.js";
export { highestTrackableNanoseconds, type ExactLatencies } from "./exact-latencies.js";
export { identityFields, identityOf, type CellIdentity, type MeasuredMode } from "./identity.js";
export { lessOverhead } from "./less-overhead.js";
export {
  isLoadRecord,
  loadRecordSchema,
  loadRecordVersion,
  loadTarget,
  objectiveLimits,
  parseLoadRecord,
  type FoundRate,
  type LoadRecord,
  type LoadStep,
  type LoadTarget,
  type Objective,
  type ObjectiveLimits,
  type RecordedRequests,
} from "./load-record.js";
export type { LoadClient } from "./load-client.js";
export {
  schedule,
  type RateSchedule,
  type RateStage,
  type RecordedTrace,
  type Schedule,
  type TraceSchedule,
} from "./load-schedule.js";
export {
  loadDefinitions,
  loadLatencies,
  loadStage,
  type LoadLatency,
  type LoadStage,
  type StageCounts,
} from "./load-stage.js";
export { machineClass, type MachineIdentity } from "./machine-class.js";
export type * from "./measurements.js";
export type { MachineComparison } from "./machine-comparison.js";
export type { MeasuringMachine } from "./measuring-machine.js";
export type { ProfileCost, ProfileFindings, ProfileRuns } from "./profile.js";
export {
  InvalidRecordError,
  parseRecord,
  recordSchema,
  recordVersion,
  type ResultRecord,
} from "./result-record.js";
export type {
  AddedEntries,
  Look,
  MeasurementPromise,
  PlannedCell,
  PlannedMeasurement,
  RunPlan,
} from "./run-plan.js";
export type {
  AllocationFindings,
  CpuProfileFindings,
  PeakMemory,
  ThreadName,
} from "./sampler-findings.js";
export type { LedgerFindings, OperatorFindings } from "./stage-findings.js";
export type {
  GrowthOrder,
  LeftOutStack,
  StackAtSize,
  StackGrowth,
  StackLibrary,
  StackSummary,
} from "./stacks.js";
export {
  describeLoad,
  transportBaselines,
  transportComparison,
  type RingDescription,
  type TransportBlock,
  type TransportClaim,
  type TransportComparison,
  type TransportRun,
  type TransportSummary,
} from "./transport.js";
export { treatments, type Treatment } from "./treatment.js";
export { claimsOf, promiseKey, widestClaims, widestFirst, type JudgedClaim } from "./claims-of.js";
export { describeVariant, type CellVariation } from "./variant.js";
export type { Verdict } from "./verdict.js";
export type { WarmUp } from "./warm-up.js";
