/**
 * An open load on an endpoint or a generator: as a run on one machine, and as shards, for whoever
 * shares it out over several. A shard is a pure value; what becomes of shards merges exactly.
 *
 * @module
 */
export type { LoadClient, LoadTarget } from "../record/index.js";
export { findRate, type RateSearch, type StepVerdict, type TryRate } from "./find-rate.js";
export { parseLength, showLength, type Length } from "./length.js";
export { LoadJournal } from "./load-journal.js";
export type { LoadOnFleet } from "./load-on-fleet.js";
export {
  lateAfterNanoseconds,
  planLoad,
  schedulesOf,
  searchOf,
  searchSchedule,
  type LoadPlan,
  type LoadPlanOptions,
  type Offer,
} from "./load-plan.js";
export {
  LoadSamplesWriter,
  readLoadSamples,
  type LoadSamples,
  type LoadSamplesIdentity,
} from "./load-samples.js";
export { loadLines } from "./load-lines.js";
export { summarizeLoad, type LoadSummary, type StageSummary } from "./load-summary.js";
export { isMet, isWithin, parseLimits, showLimits } from "./objective.js";
export { openTarget, promptsOf, type OpenTarget, type TargetPlan } from "./open-target.js";
export type { ShardCounts, ShardOrder, ShardSamples } from "./process/protocol.js";
export { openShardProcess, type ShardProcess } from "./process/shard-process.js";
export { readLoadRecord } from "./read-load.js";
export { readRequests } from "./request-file.js";
export {
  recordMix,
  requestOf,
  type ListedRequest,
  type LoadRequest,
  type RequestMix,
} from "./request-mix.js";
export type { RequestSample } from "./request-sample.js";
export { runLoad, type LoadOptions, type LoadOutcome } from "./run-load.js";
export { runShard, type LoadGenerator, type ShardOptions, type ShardOutcome } from "./run-shard.js";
export {
  arrivalsOf,
  constantRate,
  countArrivals,
  describeSchedule,
  recordSchedule,
  shardArrivals,
  stageSeconds,
  type Arrival,
  type Shard,
} from "./schedule.js";
export {
  isLoadTarget,
  parseShardPlan,
  portableMix,
  shareOfConcurrency,
  type ShardPlan,
} from "./shard-plan.js";
export { mergeStages, StageTally, type TallyRules } from "./stage-tally.js";
export { totalsOf } from "./stage-counts.js";
export type {
  AskedStep,
  LoadProgress,
  OfferedStep,
  OffererOptions,
  OpenOfferer,
  StepOfferer,
} from "./step-offerer.js";
export {
  earlyEndOf,
  isSurelyMissed,
  judgeStep,
  searchVerdict,
  type CountsSoFar,
} from "./step-verdict.js";
export { readTrace, type Trace, type TraceOptions } from "./trace-file.js";
export { deriveStages, type DerivedStep } from "./verify-load-step.js";
export { verifyLoad, type LoadStepVerification, type LoadVerification } from "./verify-load.js";
