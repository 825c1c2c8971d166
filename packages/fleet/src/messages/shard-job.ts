import { z } from "zod";
import { manifestFile, type ManifestFile } from "./manifest.js";
import { build, keyName, sha256, shortText, type Build } from "./words.js";

/** What a load asks, by hashes: an agent has the address or the module itself. */
export type ShardTarget =
  | {
      readonly kind: "endpoint";
      /** SHA-256 of its address. */
      readonly sha256: string;
      readonly model: string;
      readonly api: "completions" | "chat";
    }
  | {
      readonly kind: "module";
      /** SHA-256 of its file. */
      readonly sha256: string;
      readonly scenario: string | null;
    };

/** A shard of a load's step: words alone, and the hash of a plan. */
export interface ShardJob {
  readonly kind: "shard";
  readonly version: 1;
  readonly build: Build;
  readonly runId: string;
  /** From 0. */
  readonly step: number;
  /** A step whose shard is lost is offered again. From 0. */
  readonly attempt: number;
  readonly shard: number;
  readonly of: number;
  readonly target: ShardTarget;
  /** A `ShardPlan` of the bench as JSON; its pieces have the attempt's name in their keys. */
  readonly plan: ManifestFile;
}

/** More machines would need another way to wait for one another. */
export const mostShards = 1000;

const target: z.ZodType<ShardTarget> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("endpoint"),
    sha256,
    model: shortText,
    api: z.enum(["completions", "chat"]),
  }),
  z.strictObject({ kind: z.literal("module"), sha256, scenario: shortText.nullable() }),
]);

/** Checks a {@link ShardJob}. */
export const shardJob: z.ZodType<ShardJob> = z
  .strictObject({
    kind: z.literal("shard"),
    version: z.literal(1),
    build,
    runId: keyName,
    step: z.int().min(0).max(9999),
    attempt: z.int().min(0).max(9999),
    shard: z
      .int()
      .min(0)
      .max(mostShards - 1),
    of: z.int().min(1).max(mostShards),
    target,
    plan: manifestFile,
  })
  .refine(({ shard, of }) => shard < of, "there is no such shard");

/** Whether a message says that it is a {@link ShardJob}; a part says nothing of its kind. */
export function isShardJob(message: unknown): boolean {
  return typeof message === "object" && message !== null && "kind" in message;
}

/** The name of an attempt at a step. */
export function attemptName({
  runId,
  step,
  attempt,
}: Pick<ShardJob, "runId" | "step" | "attempt">): string {
  return `load-${runId}.${step}.${attempt}`;
}

/** The name of a shard, which is its job's too. */
export function shardName(
  machineClass: string,
  job: Pick<ShardJob, "runId" | "step" | "attempt" | "shard">,
): string {
  return `${machineClass}.${attemptName(job)}.${job.shard}`;
}
