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
import { array, nullable, number, object, oneOfKinds, string, type Check } from "./shape.js";
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
  }),
  files: array(string),
  generations: number,
  findings,
});
