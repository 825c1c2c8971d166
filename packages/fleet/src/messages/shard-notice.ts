import { isLoadTarget, type LoadTarget, type ShardCounts } from "@streamgauge/bench/load";
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

/** Checks what an agent says of its requests while it sends them. */
export const shardCounts: z.ZodType<ShardCounts> = z.strictObject({
  bad: z.int().min(0),
  late: z.int().min(0),
});

/** The field of a shard's counts, beside its notice. */
export function countsField(shard: number): string {
  return `${shard}.counts`;
}

/** What lies in Redis until a step begins. */
export const waiting = "wait";

/** What is added to a beginning, once the machines are to stop and to deliver what they have. */
const stopping = " stop";

/** Microseconds on the server's clock; undefined while it waits, and for what is none. */
export function startOf(text: string): bigint | undefined {
  const [, start] = /^(\d{1,18})(?: stop)?$/.exec(text) ?? [];
  return start === undefined ? undefined : BigInt(start);
}

/** The word to stop, for a step that began then. */
export function stopWord(start: bigint): string {
  return `${start}${stopping}`;
}

/** Whether it is a {@link stopWord}. */
export function isStopWord(text: string): boolean {
  return text.endsWith(stopping);
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
