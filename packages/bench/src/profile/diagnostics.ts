/**
 * What threads can be asked to report about themselves while they work: the
 * subset of `@streamgauge/runtime/diagnostics` that profiles are made from, so
 * that only `scenarios/` needs the runtime.
 */
export interface ThreadReports {
  readonly cpuProfile: CpuProfile;
  readonly allocations: SamplingHeapProfile;
  readonly timeline: ThreadTimeline;
  readonly asyncActivity: AsyncActivity;
}

/** A kind of report. */
export type Diagnostic = keyof ThreadReports;

/** Starts one kind of report on one or several threads; nothing is generated meanwhile. */
export type Diagnostics = <Kind extends Diagnostic>(
  kind: Kind,
) => Promise<{ stop(): Promise<readonly ThreadReport<Kind>[]> }>;

/** The report of one thread. */
export interface ThreadReport<Kind extends Diagnostic> {
  /** `main`, or `worker 0`, `worker 1`, … */
  readonly thread: string;
  /** Added to the thread's `performance.now()` to get the calling thread's. */
  readonly clockOffsetMilliseconds: number;
  readonly report: ThreadReports[Kind];
}

/** The part of a `.cpuprofile` that is summarised. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[] | undefined;
  }[];
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
  readonly startTime: number;
  readonly endTime: number;
}

/** Where a function is. Lines count from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** The part of a `.heapprofile` that is summarised. */
export interface SamplingHeapProfile {
  readonly head: SamplingHeapNode;
  readonly samples?: readonly { readonly size: number; readonly nodeId: number }[] | undefined;
}

export interface SamplingHeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly id?: number | undefined;
  readonly children: readonly SamplingHeapNode[];
}

/** On the thread's own `performance.now()` clock. */
export interface ThreadTimeline {
  readonly garbageCollections: readonly {
    readonly kind: "minor" | "major" | "incremental" | "weakCallbacks";
    readonly startMilliseconds: number;
    readonly durationMilliseconds: number;
  }[];
  readonly eventLoopDelays: readonly {
    readonly startMilliseconds: number;
    readonly durationMilliseconds: number;
  }[];
}

export interface AsyncActivity {
  readonly promises: number;
  readonly reactions: number;
  readonly reactionMilliseconds: number;
}
