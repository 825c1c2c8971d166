import { callTree, type CallTree } from "./call-tree.js";
import { codeCategory, type CodeCategory } from "./code-category.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { estimates, type Estimates } from "./estimates.js";
import type { MeasuredMode } from "./load.js";
import {
  array,
  fail,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
  type Check,
} from "./shape.js";
import { treatment } from "./treatment.js";

/**
 * What was seen by turning an instrument on, and what turning it on costs.
 * Since version 3.
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

export type { CallTree, CallTreeNode } from "./call-tree.js";
export type { CodeCategory };

/** `main`: the consuming thread; `worker 0`, `worker 1`, …: the runtime's. */
export type ThreadName = string;

export type ProfileFindings =
  | CpuProfileFindings
  | AllocationFindings
  | TimelineFindings
  | AsyncActivityFindings
  | OperatorFindings
  | LedgerFindings;

/** The CPU profiler's samples (`.cpuprofile`), by whose code it was. */
export interface CpuProfileFindings {
  readonly kind: "cpuProfile";
  readonly threads: readonly {
    readonly thread: ThreadName;
    /** Of the time that was not idle: with few of them the fractions below are rough. */
    readonly samples: number;
    readonly busyMicrosecondsPerToken: number;
  }[];
  /** Of each thread, the largest first. */
  readonly categories: readonly {
    readonly thread: ThreadName;
    readonly category: CodeCategory;
    readonly selfMicrosecondsPerToken: number;
    /** Of the thread's time that was not idle, 0 to 1. */
    readonly fraction: number;
  }[];
  /** The hottest first. */
  readonly hotFunctions: readonly {
    readonly thread: ThreadName;
    readonly category: CodeCategory;
    /** Name and place, as "poll (ring/consumer.js:52)". */
    readonly name: string;
    readonly selfMicrosecondsPerToken: number;
    readonly fraction: number;
  }[];
  /** Who called whom, of each thread. Records from before 25 November 2026 have none. */
  readonly callTrees?: readonly CallTree[];
}

/**
 * The sampling heap profiler's samples (`.heapprofile`), garbage included. It
 * sees JavaScript's heap; what lies behind typed arrays is in `peakMemory` only.
 */
export interface AllocationFindings {
  readonly kind: "allocations";
  readonly threads: readonly {
    readonly thread: ThreadName;
    readonly bytesPerToken: number;
    /** An estimate from the sizes of the sampled objects: see `allocation-summary.ts`. */
    readonly objectsPerToken: number;
  }[];
  /** The largest first. */
  readonly largest: readonly {
    readonly thread: ThreadName;
    readonly category: CodeCategory;
    readonly name: string;
    readonly bytesPerToken: number;
  }[];
  /** Sampled after the runs that were not observed; the largest of each. */
  readonly peakMemory: PeakMemory;
}

/** Bytes, as `process.memoryUsage()` of the consuming thread gives them. */
export interface PeakMemory {
  /** Of the whole process, its workers included. */
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
}

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

/**
 * onnxruntime's operator profile, summed over nodes; the prompt's run is in it.
 * Each call's time was cut to whole microseconds.
 */
export interface OperatorFindings {
  readonly kind: "operators";
  /** The slowest first. */
  readonly operators: readonly {
    readonly operator: string;
    /** Over all observed generations. */
    readonly calls: number;
    readonly microsecondsPerToken: number;
    /** Of the time in all operators, 0 to 1. */
    readonly fraction: number;
  }[];
  /** Of the session's runs: what is not in an operator is onnxruntime's own. */
  readonly runMicrosecondsPerToken: number;
}

/** Where a token's time goes between the model and the user's code. */
export interface LedgerFindings {
  readonly kind: "ledger";
  /** In the order in which a token passes them. */
  readonly stages: readonly {
    readonly stage: "published" | "woken" | "delivered" | "callbackDone";
    /** Since the stage before; the first since the token was produced. */
    readonly latency: LatencySummary;
  }[];
  /**
   * End-to-end latency less what is accounted for: queue, prefill, decode and
   * the last token's way. What is left is the call and the end of the stream.
   * One value for each generation.
   */
  readonly residual: LatencySummary;
}

const findingsByKind: { readonly [Kind in ProfileFindings["kind"]]: Check } = {
  cpuProfile: object<CpuProfileFindings>({
    kind: string,
    threads: array(
      object<CpuProfileFindings["threads"][number]>({
        thread: string,
        samples: number,
        busyMicrosecondsPerToken: number,
      }),
    ),
    categories: array(
      object<CpuProfileFindings["categories"][number]>({
        thread: string,
        category: codeCategory,
        selfMicrosecondsPerToken: number,
        fraction: number,
      }),
    ),
    hotFunctions: array(
      object<CpuProfileFindings["hotFunctions"][number]>({
        thread: string,
        category: codeCategory,
        name: string,
        selfMicrosecondsPerToken: number,
        fraction: number,
      }),
    ),
    callTrees: optional(array(callTree)),
  }),
  allocations: object<AllocationFindings>({
    kind: string,
    threads: array(
      object<AllocationFindings["threads"][number]>({
        thread: string,
        bytesPerToken: number,
        objectsPerToken: number,
      }),
    ),
    largest: array(
      object<AllocationFindings["largest"][number]>({
        thread: string,
        category: codeCategory,
        name: string,
        bytesPerToken: number,
      }),
    ),
    peakMemory: object<PeakMemory>({
      residentBytes: number,
      heapUsedBytes: number,
      externalBytes: number,
      arrayBufferBytes: number,
    }),
  }),
  timeline: object<TimelineFindings>({
    kind: string,
    threads: array(
      object<TimelineFindings["threads"][number]>({
        thread: string,
        garbageCollections: number,
        garbageCollectionMilliseconds: number,
        longestGarbageCollectionMilliseconds: number,
        longestEventLoopDelayMilliseconds: number,
      }),
    ),
    slowestGaps: array(
      object<SlowGap>({
        generation: number,
        tokenIndex: number,
        gapNanoseconds: number,
        quantile: number,
        cause: nullable(string),
      }),
    ),
  }),
  asyncActivity: object<AsyncActivityFindings>({
    kind: string,
    threads: array(
      object<AsyncActivityFindings["threads"][number]>({
        thread: string,
        promisesPerToken: number,
        reactionMicrosecondsPerToken: number,
      }),
    ),
  }),
  operators: object<OperatorFindings>({
    kind: string,
    operators: array(
      object<OperatorFindings["operators"][number]>({
        operator: string,
        calls: number,
        microsecondsPerToken: number,
        fraction: number,
      }),
    ),
    runMicrosecondsPerToken: number,
  }),
  ledger: object<LedgerFindings>({
    kind: string,
    stages: array(
      object<LedgerFindings["stages"][number]>({
        stage: oneOf("published", "woken", "delivered", "callbackDone"),
        latency: latencySummary,
      }),
    ),
    residual: latencySummary,
  }),
};

/** Checks a {@link ProfileMeasurement}. */
export const profileMeasurement: Check = object<ProfileMeasurement>({
  generator: string,
  model: string,
  host: string,
  treatment,
  tokens: number,
  cost: object<ProfileCost>({
    blocks: number,
    control: nullable(estimates),
    overhead: nullable(estimates),
    costMicrosecondsPerToken: nullable(estimates),
  }),
  files: array(string),
  generations: number,
  findings: (value, path) => {
    const kind = (value as { kind?: unknown } | null)?.kind;
    const check = Object.entries(findingsByKind).find(([name]) => name === kind)?.[1];
    if (check === undefined) fail(`${path}.kind`, "a known kind of findings");
    check(value, path);
  },
});
