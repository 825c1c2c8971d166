import { memory, type Memory } from "./block.js";
import { callTree, type CallTree } from "./call-tree.js";
import { codeCategory, type CodeCategory } from "./code-category.js";
import { array, number, object, oneOf, optional, string, type Check } from "./shape.js";

/** `main`: the consuming thread; `worker 0`, `worker 1`, …: the runtime's. */
export type ThreadName = string;

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

export type PeakMemory = Memory;

/** Checks {@link CpuProfileFindings}. */
export const cpuProfileFindings: Check<CpuProfileFindings> = object({
  kind: oneOf("cpuProfile"),
  threads: array(object({ thread: string, samples: number, busyMicrosecondsPerToken: number })),
  categories: array(
    object({
      thread: string,
      category: codeCategory,
      selfMicrosecondsPerToken: number,
      fraction: number,
    }),
  ),
  hotFunctions: array(
    object({
      thread: string,
      category: codeCategory,
      name: string,
      selfMicrosecondsPerToken: number,
      fraction: number,
    }),
  ),
  callTrees: optional(array(callTree)),
});

/** Checks {@link AllocationFindings}. */
export const allocationFindings: Check<AllocationFindings> = object({
  kind: oneOf("allocations"),
  threads: array(object({ thread: string, bytesPerToken: number, objectsPerToken: number })),
  largest: array(
    object({ thread: string, category: codeCategory, name: string, bytesPerToken: number }),
  ),
  peakMemory: memory,
});
