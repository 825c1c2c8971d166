/**
 * What one thread can say about itself: where its time and its memory go, when
 * it was held up, what its promises cost. All of it is about the thread that
 * calls; `Runtime.startDiagnostic` asks the workers of a pool.
 *
 * A diagnostic slows its thread: measure speed without any, and with several
 * running at once expect each to see the others.
 *
 * @module
 */
import type { HeapProfiler, Profiler } from "node:inspector";
import { threadId } from "node:worker_threads";
import { invalidOption } from "@streamgauge/core";
import { startAllocations } from "./allocations.js";
import { startAsyncActivity, type AsyncActivity } from "./async-activity.js";
import { startCpuProfile } from "./cpu-profile.js";
import { startTimeline, type ThreadTimeline } from "./timeline.js";

export { StepGate } from "./step-gate.js";
export type { AsyncActivity } from "./async-activity.js";
export type { EventLoopDelay, GarbageCollection, ThreadTimeline } from "./timeline.js";

/** Everything that can be asked, with what comes back: plain data that crosses threads. */
export interface ThreadReports {
  /** Where JavaScript spends its time, sampled; as JSON it is a `.cpuprofile` file. */
  readonly cpuProfile: Profiler.Profile;
  /** Which functions allocate how many bytes, sampled, garbage included; a `.heapprofile` file. */
  readonly allocations: HeapProfiler.SamplingHeapProfile;
  /** When garbage was collected and when the event loop was late. */
  readonly timeline: ThreadTimeline;
  /** How many promises there were, and the time their reactions took. */
  readonly asyncActivity: AsyncActivity;
}

export type Diagnostic = keyof ThreadReports;

/** A diagnostic that watches the thread that started it. */
export interface RunningDiagnostic<K extends Diagnostic> {
  /**
   * Ends it and returns what it saw. Call it on the same thread; repeating it
   * gives the same report.
   */
  stop(): Promise<ThreadReports[K]>;
}

type Starters = { readonly [K in Diagnostic]: () => Promise<() => Promise<ThreadReports[K]>> };

const starters: Starters = {
  cpuProfile: startCpuProfile,
  allocations: startAllocations,
  timeline: startTimeline,
  asyncActivity: startAsyncActivity,
};

/** What runs on this thread: each thread has its own instance of this module. */
const running = new Set<Diagnostic>();

/**
 * Starts a diagnostic of the calling thread. It begins to watch before the
 * promise settles. One of a kind at a time; different kinds may overlap.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for an unknown kind, or one that runs already
 */
export async function startDiagnostic<K extends Diagnostic>(
  kind: K,
): Promise<RunningDiagnostic<K>> {
  if (!Object.hasOwn(starters, kind)) {
    const known = Object.keys(starters).join(", ");
    throw invalidOption(`There is no diagnostic "${kind}". Known: ${known}.`);
  }
  if (running.has(kind)) {
    throw invalidOption(
      `The diagnostic "${kind}" is running on thread ${threadId} already: stop it before starting another.`,
    );
  }
  running.add(kind);
  let end: () => Promise<ThreadReports[K]>;
  try {
    end = await starters[kind]();
  } catch (error) {
    running.delete(kind);
    throw error;
  }
  let report: Promise<ThreadReports[K]> | undefined;
  return {
    stop: () => (report ??= end().finally(() => running.delete(kind))),
  };
}
