import type { ThreadName } from "./sampler-findings.js";
import { array, nullable, number, object, oneOf, string, type Check } from "./shape.js";

/** Garbage collections and late event loops, joined to the slowest gaps between tokens. */
export interface TimelineFindings {
  readonly kind: "timeline";
  readonly threads: readonly {
    readonly thread: ThreadName;
    readonly garbageCollections: number;
    readonly garbageCollectionMilliseconds: number;
    readonly longestGarbageCollectionMilliseconds: number;
    readonly longestEventLoopDelayMilliseconds: number;
  }[];
  /** The slowest first. */
  readonly slowestGaps: readonly SlowGap[];
}

/** One gap between two tokens, and what overlapped with it. */
export interface SlowGap {
  /** Which of the observed generations, from 0. */
  readonly generation: number;
  /** Of the token that ends the gap. */
  readonly tokenIndex: number;
  readonly gapNanoseconds: number;
  /** Share of all gaps that are shorter, 0 to 1. */
  readonly quantile: number;
  /**
   * What explains most of what it took longer than the median gap, as "major GC
   * 4.1 ms on worker 0"; null when nothing explains half of that.
   */
  readonly cause: string | null;
}

/** Promises, by async_hooks. */
export interface AsyncActivityFindings {
  readonly kind: "asyncActivity";
  readonly threads: readonly {
    readonly thread: ThreadName;
    readonly promisesPerToken: number;
    /** Time in promise reactions, the user's own code in them included. */
    readonly reactionMicrosecondsPerToken: number;
  }[];
}

/** Checks {@link TimelineFindings}. */
export const timelineFindings: Check<TimelineFindings> = object({
  kind: oneOf("timeline"),
  threads: array(
    object({
      thread: string,
      garbageCollections: number,
      garbageCollectionMilliseconds: number,
      longestGarbageCollectionMilliseconds: number,
      longestEventLoopDelayMilliseconds: number,
    }),
  ),
  slowestGaps: array(
    object({
      generation: number,
      tokenIndex: number,
      gapNanoseconds: number,
      quantile: number,
      cause: nullable(string),
    }),
  ),
});

/** Checks {@link AsyncActivityFindings}. */
export const asyncActivityFindings: Check<AsyncActivityFindings> = object({
  kind: oneOf("asyncActivity"),
  threads: array(
    object({ thread: string, promisesPerToken: number, reactionMicrosecondsPerToken: number }),
  ),
});
