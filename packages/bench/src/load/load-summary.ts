import type {
  ExactLatencies,
  FoundRate,
  LoadRecord,
  LoadStage,
  LoadStep,
  StageCounts,
} from "../record/index.js";
import { showLimits } from "./objective.js";
import { describeSchedule } from "./schedule.js";
import { errorsOf, totalsOf } from "./stage-counts.js";
import { isClientLate } from "./step-verdict.js";

/** What a load showed, without histograms: for people, and as `--json`. */
export interface LoadSummary {
  readonly status: LoadRecord["status"];
  /** What was asked, in a few words. */
  readonly target: string;
  readonly seed: number;
  /** `poisson`, `constant` or `trace`. */
  readonly arrivals: string;
  /** In words; null without one. */
  readonly objective: { readonly limits: string; readonly share: number } | null;
  readonly stages: readonly StageSummary[];
  readonly foundRate: FoundRate | null;
  /** Failed requests by kind, over all steps. */
  readonly errors: Readonly<Record<string, number>>;
  /** What a reader should know before believing the numbers, in a sentence each. */
  readonly notes: readonly string[];
  /** Of the record's file. */
  readonly recordPath: string;
}

/** One stage of one step. */
export interface StageSummary extends StageCounts {
  /** From 1. */
  readonly step: number;
  /** Such as `20 per second`. */
  readonly offer: string;
  readonly seconds: number;
  /** Good / offered. */
  readonly goodShare: number;
  /** Good / seconds of the stage; of one that ended early, / seconds up to its last end. */
  readonly goodputPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly mostInFlight: number;
  readonly status: LoadStep["status"];
  readonly verdict: LoadStep["verdict"];
  readonly timeToFirstToken: Percentiles | null;
  readonly interTokenLatency: Percentiles | null;
  readonly timePerOutputToken: Percentiles | null;
  readonly endToEnd: Percentiles | null;
  readonly lateness: Percentiles | null;
}

/** Of one latency, in nanoseconds. */
export type Percentiles = Omit<ExactLatencies, "histogram" | "sumNanoseconds">;

/** Reads a record. @param recordPath of its file, as it is to be shown */
export function summarizeLoad(record: LoadRecord, recordPath: string): LoadSummary {
  const { steps, objective } = record;
  return {
    status: record.status,
    target: targetOf(record),
    seed: record.seed,
    arrivals: arrivalsOf(steps),
    objective:
      objective === null ? null : { limits: showLimits(objective.limits), share: objective.share },
    stages: steps.flatMap((step, index) =>
      step.stages.map((stage) => stageSummary(stage, step, index + 1)),
    ),
    foundRate: record.foundRate,
    errors: errorsOf(steps.flatMap(({ stages }) => stages)),
    notes: [...lateNotes(record), ...record.environment.advice],
    recordPath,
  };
}

function targetOf({ target }: LoadRecord): string {
  return target.kind === "endpoint" ? `${target.model} at ${target.host}` : target.name;
}

function arrivalsOf(steps: readonly LoadStep[]): string {
  const [first] = steps;
  if (first === undefined) return "no";
  return first.schedule.kind === "trace" ? "trace" : first.schedule.arrivals;
}

function stageSummary(stage: LoadStage, step: LoadStep, number: number): StageSummary {
  const { seconds, offered, good } = stage;
  const span = spanSeconds(stage, step);
  return {
    step: number,
    offer: offerOf(stage, step),
    seconds,
    ...totalsOf([stage]),
    goodShare: offered === 0 ? 1 : good / offered,
    goodputPerSecond: good / (step.status === "complete" ? seconds : Math.min(seconds, span)),
    // Until the last one ended: tokens that come after the stage are made after it.
    outputTokensPerSecond: stage.outputTokens / Math.max(seconds, span),
    mostInFlight: stage.mostInFlight,
    status: step.status,
    verdict: step.verdict,
    timeToFirstToken: percentilesOf(stage.timeToFirstToken),
    interTokenLatency: percentilesOf(stage.interTokenLatency),
    timePerOutputToken: percentilesOf(stage.timePerOutputToken),
    endToEnd: percentilesOf(stage.endToEnd),
    lateness: percentilesOf(stage.lateness),
  };
}

/** From the beginning of a stage to its last end. */
function spanSeconds(
  { stage, seconds, lastEndNanoseconds }: LoadStage,
  { stages }: LoadStep,
): number {
  if (lastEndNanoseconds === null) return seconds;
  const begin = stages
    .filter((other) => other.stage < stage)
    .reduce((sum, other) => sum + other.seconds, 0);
  return lastEndNanoseconds / 1e9 - begin;
}

function offerOf({ stage }: LoadStage, { schedule }: LoadStep): string {
  if (schedule.kind === "trace") return "trace";
  const own = schedule.stages[stage];
  return own === undefined ? "?" : describeSchedule({ ...schedule, stages: [own] });
}

function percentilesOf(latencies: ExactLatencies | null): Percentiles | null {
  if (latencies === null) return null;
  const { histogram: _histogram, sumNanoseconds: _sum, ...percentiles } = latencies;
  return percentiles;
}

function lateNotes({ steps, lateAfterNanoseconds, maxConcurrency }: LoadRecord): string[] {
  const late = steps.filter(({ stages }) => isClientLate(stages));
  if (late.length === 0) return [];
  const totals = totalsOf(late.flatMap(({ stages }) => stages));
  const remedy =
    maxConcurrency === null
      ? "lower the rate, or give the client more CPU"
      : `lower the rate, or raise --max-concurrency (${maxConcurrency})`;
  return [
    `this client sent ${totals.late} of ${totals.arrived} requests more than ` +
      `${lateAfterNanoseconds / 1e6} ms late: ${remedy}`,
  ];
}
