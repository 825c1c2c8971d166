import type { Clock } from "../plan/clock.js";
import type { LoadClient, LoadStage, LoadStep, LoadTarget, Schedule } from "../record/index.js";
import type { WaitUntil } from "../scenarios/wait-until.js";
import type { LoadPlan } from "./load-plan.js";
import type { TargetPlan } from "./open-target.js";

/** Where a load is. */
export interface LoadProgress {
  /** The step. */
  readonly subject: string;
  /** Of the step, 0 to 1. */
  readonly fractionDone: number;
  /** Absent where other machines send, as the two below. */
  readonly sent?: number;
  /** Arrivals of the step. */
  readonly offered?: number;
  readonly inFlight?: number;
}

/** A step that somebody is asked to offer. */
export interface AskedStep {
  /** From 0. */
  readonly step: number;
  readonly schedule: Schedule;
}

/** What came of it. */
export interface OfferedStep {
  readonly status: LoadStep["status"];
  /** One for each stage of the schedule. */
  readonly stages: readonly LoadStage[];
  /** A file of raw samples for each shard, in their order. */
  readonly samples: readonly Uint8Array[];
  /** The machines, in the order of the shards; absent where this one offered it alone. */
  readonly clients?: readonly LoadClient[];
}

/** Offers the steps of a load, one after the other. */
export interface StepOfferer {
  /** What a record keeps of the target that was opened. */
  readonly target: LoadTarget;
  /** Undefined after an abort that left nothing to keep. */
  offer(asked: AskedStep): Promise<OfferedStep | undefined>;
  close(): Promise<void>;
}

/** What an offerer is made with. */
export interface OffererOptions {
  readonly runId: string;
  readonly target: TargetPlan;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: LoadProgress) => void;
  readonly clock: Clock;
  readonly waitUntil: WaitUntil;
}

/**
 * Opens the target of a load, on this machine or on others.
 *
 * @throws StreamgaugeError as `openTarget`, and what other machines throw
 */
export type OpenOfferer = (plan: LoadPlan, options: OffererOptions) => Promise<StepOfferer>;
