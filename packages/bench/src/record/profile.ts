import type { Definition } from "./definition.js";
import { estimates, type Estimates } from "./estimates.js";
import {
  asyncActivityFindings,
  timelineFindings,
  type AsyncActivityFindings,
  type TimelineFindings,
} from "./event-findings.js";
import { measuredModeShape, type MeasuredMode } from "./identity.js";
import {
  allocationFindings,
  cpuProfileFindings,
  type AllocationFindings,
  type CpuProfileFindings,
} from "./sampler-findings.js";
import {
  array,
  nullable,
  number,
  object,
  oneOfKinds,
  optional,
  string,
  type Check,
} from "./shape.js";
import {
  ledgerFindings,
  operatorFindings,
  type LedgerFindings,
  type OperatorFindings,
} from "./stage-findings.js";

/**
 * What was seen by turning an instrument on, and what turning it on costs.
 */
export interface ProfileMeasurement extends MeasuredMode {
  readonly cost: ProfileCost;
  /** Relative to the folder of the record, with forward slashes. */
  readonly files: readonly string[];
  /** Generations that were observed. */
  readonly generations: number;
  readonly findings: ProfileFindings;
}

/**
 * The mode with the instrument against the same mode without, in interleaved
 * blocks of (off, off again, on).
 */
export interface ProfileCost {
  readonly blocks: number;
  /** Off again against off: what the blocks show where there is no difference. */
  readonly control: Estimates | null;
  /** On against off, a fraction; null with fewer blocks than an interval needs. */
  readonly overhead: Estimates | null;
  readonly costMicrosecondsPerToken: Estimates | null;
  /** What the others are derived from; absent in records before version 4. */
  readonly runs?: ProfileRuns;
}

/** End-to-end latencies in nanoseconds, a value for each block. */
export interface ProfileRuns {
  /** Without the instrument. */
  readonly off: readonly number[];
  /** Once more without it. */
  readonly offAgain: readonly number[];
  readonly on: readonly number[];
}

export type ProfileFindings =
  | CpuProfileFindings
  | AllocationFindings
  | TimelineFindings
  | AsyncActivityFindings
  | OperatorFindings
  | LedgerFindings;

const findings: Check<ProfileFindings> = oneOfKinds("a known kind of findings", {
  cpuProfile: cpuProfileFindings,
  allocations: allocationFindings,
  timeline: timelineFindings,
  asyncActivity: asyncActivityFindings,
  operators: operatorFindings,
  ledger: ledgerFindings,
});

/** Checks a {@link ProfileMeasurement}. */
export const profileMeasurement: Check<ProfileMeasurement> = object({
  ...measuredModeShape,
  cost: object({
    blocks: number,
    control: nullable(estimates),
    overhead: nullable(estimates),
    costMicrosecondsPerToken: nullable(estimates),
    runs: optional(object({ off: array(number), offAgain: array(number), on: array(number) })),
  }),
  files: array(string),
  generations: number,
  findings,
});

/** What the numbers of a {@link ProfileMeasurement} mean. */
export const profileDefinitions: readonly Definition[] = [
  {
    metric: "cost of a profile",
    formula:
      "the mode with the instrument on against the same mode with it off, in interleaved blocks " +
      "of (off, off again, on); off again against off shows what the blocks report where there " +
      "is no difference",
  },
  {
    metric: "CPU profile",
    formula:
      "samples of each thread's stack, by whose code is on top, without what it calls; shares " +
      "are of the thread's time that was not idle; of a tree of calls the 120 nodes with most time in " +
      "and under them, with 0.2 % of it at least: (rest) stands for the others",
  },
  {
    metric: "cause of a gap",
    formula:
      "the garbage collections and late event loops that overlap with most of what the gap took " +
      "longer than the median gap; unknown when they explain less than half of it",
  },
  {
    metric: "promises per token",
    formula:
      "promises made in a thread / tokens, by async hooks; reactions: time in what awaited " +
      "them, the user's own code included",
  },
  {
    metric: "operators",
    formula:
      "time in onnxruntime's operators, summed over nodes, per token, the prompt's run " +
      "included; the whole run less its operators is onnxruntime's own",
  },
  {
    metric: "ledger stages",
    formula:
      "a token's stations: made, published by the producer, consumer awake, delivered to user " +
      "code, callback done; each since the one before",
  },
  {
    metric: "residual",
    formula:
      "end-to-end latency − queue − prefill − decode − the last token's way, of each " +
      "generation: the call, and the end of the stream",
  },
];
