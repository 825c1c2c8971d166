import { isLoadTarget, type LoadTarget } from "@streamgauge/bench/load";
import { z } from "zod";
import { keyName } from "./words.js";

/** What an agent says of a shard before the step begins. */
export type ShardNotice =
  /** It has opened its target. */
  | { readonly kind: "ready"; readonly session: string; readonly target: LoadTarget }
  | {
      readonly kind: "failed";
      readonly reason: string;
      /** Another attempt may do better. */
      readonly isPassing: boolean;
    };

/** Checks a {@link ShardNotice}. */
export const shardNotice: z.ZodType<ShardNotice> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("ready"),
    session: keyName,
    target: z.custom<LoadTarget>(isLoadTarget, "it is no target of a load"),
  }),
  z.strictObject({
    kind: z.literal("failed"),
    reason: z.string().max(10_000),
    isPassing: z.boolean(),
  }),
]);

/** What lies in Redis until a step begins. */
export const waiting = "wait";

/** Microseconds on the server's clock; undefined while it waits, and for what is none. */
export function startOf(text: string): bigint | undefined {
  return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

/** What an agent says of a shard that is over, beside its raw samples. */
export interface ShardDocument {
  readonly version: 1;
  /** See `LoadClient` of the bench. */
  readonly clockOffsetMilliseconds: number;
  readonly startUncertaintyNanoseconds: number;
}

/** Checks a {@link ShardDocument}. */
export const shardDocument: z.ZodType<ShardDocument> = z.strictObject({
  version: z.literal(1),
  clockOffsetMilliseconds: z.int(),
  startUncertaintyNanoseconds: z.int().min(0),
});
