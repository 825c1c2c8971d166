import type { PartOrder } from "@streamgauge/bench/parts";
import { z } from "zod";
import { build, keyName, sha256, shortText, type Build } from "./words.js";

/** What an agent is asked to measure: words alone, and hashes of modules that it has itself. */
export interface PartJob {
  readonly version: 1;
  readonly build: Build;
  readonly runId: string;
  readonly process: number;
  readonly look: number;
  readonly preset: string;
  readonly seed: number;
  readonly scenarios: readonly string[] | null;
  readonly tokens: readonly number[] | null;
  readonly blocks: number | null;
  /** One that every machine has. */
  readonly model: string | null;
  readonly timeBudgetMinutes: number | null;
  readonly profiles: readonly string[];
  /** SHA-256 of each, in the order of the run's. */
  readonly modules: readonly string[];
  readonly leaveOut: readonly string[];
  /** Longest wait for other work on the machine to end. */
  readonly waitSeconds: number;
}

/** Checks a {@link PartJob}. */
export const partJob: z.ZodType<PartJob> = z.strictObject({
  version: z.literal(1),
  build,
  runId: keyName,
  process: z.int().min(0).max(9999),
  look: z.int().min(0).max(99),
  preset: shortText,
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  scenarios: z.array(shortText).max(200).nullable(),
  tokens: z.array(z.int().min(1).max(1e7)).max(200).nullable(),
  blocks: z.int().min(1).max(1e5).nullable(),
  model: shortText.nullable(),
  timeBudgetMinutes: z.number().positive().max(1e5).nullable(),
  profiles: z.array(shortText).max(20),
  modules: z.array(sha256).max(20),
  leaveOut: z.array(z.string().max(300)).max(5000),
  waitSeconds: z.number().min(0).max(86_400),
});

/** What a job returns: the SHA-256 of the manifest that names what was measured. */
export interface PartResult {
  readonly manifest: string;
}

/** The name of a part, which is its job's too: neither a colon nor digits alone. */
export function partName(
  machineClass: string,
  { runId, process, look }: Pick<PartJob, "runId" | "process" | "look">,
): string {
  return `${machineClass}.${runId}.${process}.${look}`;
}

/** What an agent is told of a part. @param from what is the same for every part of a run */
export function jobOf(
  order: PartOrder,
  from: {
    readonly build: Build;
    readonly modules: readonly string[];
    readonly waitSeconds: number;
  },
): PartJob {
  return {
    version: 1,
    build: from.build,
    runId: order.runId,
    process: order.process,
    look: order.look,
    preset: order.preset,
    seed: order.seed,
    scenarios: order.scenarios ?? null,
    tokens: order.tokens ?? null,
    blocks: order.blocks ?? null,
    model: order.model?.name ?? null,
    timeBudgetMinutes: order.timeBudgetMinutes ?? null,
    profiles: order.profiles ?? [],
    modules: from.modules,
    leaveOut: order.leaveOut,
    waitSeconds: from.waitSeconds,
  };
}

/** A job as the bench takes it. @param modules file URLs of the agent's own modules, for the hashes of the job */
export function orderOf(job: PartJob, modules: readonly string[]): PartOrder {
  const { version, build: _, waitSeconds, model, ...order } = job;
  return { ...order, ...(model !== null && { model: { name: model } }), modules };
}
