/**
 * What crosses between whoever runs a shard and the process that sends its requests. Types only.
 *
 * @module
 */
import type { WireError } from "@streamgauge/core";
import type { LoadTarget } from "../../record/index.js";
import type { LoadSamplesIdentity } from "../load-samples.js";
import type { TargetPlan } from "../open-target.js";
import type { ShardOutcome } from "../run-shard.js";
import type { ShardPlan } from "../shard-plan.js";
import type { CountsSoFar } from "../step-verdict.js";

/** A shard of a step, with all that a process needs to send its requests. */
export interface ShardOrder extends ShardPlan, LoadSamplesIdentity {
  /** Most requests in flight of this shard alone; null without a limit. */
  readonly maxConcurrency: number | null;
  readonly target: TargetPlan;
}

/** What a process says of a shard that is over. */
export interface ShardSamples {
  readonly status: ShardOutcome["status"];
  /** As `LoadSamplesWriter` makes them. */
  readonly samples: Uint8Array;
}

/** What a process says of its requests while it sends them. */
export type ShardCounts = Omit<CountsSoFar, "offered">;

/** The process is told. */
export type ToShard =
  | { readonly type: "open"; readonly order: ShardOrder }
  /** By `process.hrtime`, which all processes of a machine share. */
  | { readonly type: "start"; readonly atNanoseconds: bigint }
  /** Stop what is in flight, and say what there is. */
  | { readonly type: "abort" };

/** The process says. */
export type FromShard =
  | { readonly type: "ready"; readonly target: LoadTarget }
  /** Now and then, where the order has limits. */
  | ({ readonly type: "counts" } & ShardCounts)
  | ({ readonly type: "done" } & ShardSamples)
  | { readonly type: "failed"; readonly error: WireError };
