import {
  PerformanceObserver,
  constants,
  type NodeGCPerformanceDetail,
  type PerformanceEntry,
} from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";

/** A pause of the thread in which V8 collected garbage. */
export interface GarbageCollection {
  readonly kind: "minor" | "major" | "incremental" | "weakCallbacks";
  readonly startMilliseconds: number;
  readonly durationMilliseconds: number;
}

/** A time in which the event loop did not get to a timer that was due. */
export interface EventLoopDelay {
  /** When the timer was due. */
  readonly startMilliseconds: number;
  /** How much later it ran. */
  readonly durationMilliseconds: number;
}

/** What held a thread up, on that thread's `performance.now()` clock, in order. */
export interface ThreadTimeline {
  readonly garbageCollections: readonly GarbageCollection[];
  /**
   * Delays of more than a millisecond, which is what Node's timers can tell
   * apart, seen by a timer every 5 ms. What holds the loop up for less than the
   * time until the timer is due is not seen; what holds it up for longer shows
   * with what is left then.
   */
  readonly eventLoopDelays: readonly EventLoopDelay[];
}

const periodMilliseconds = 5;
const timerResolutionMilliseconds = 1;

/** Watches the calling thread. @returns what ends it and gives the timeline */
export function startTimeline(): Promise<() => Promise<ThreadTimeline>> {
  const garbageCollections: GarbageCollection[] = [];
  const collect = (entries: readonly PerformanceEntry[]): void => {
    for (const entry of entries) {
      garbageCollections.push({
        kind: kindOf(entry),
        startMilliseconds: entry.startTime,
        durationMilliseconds: entry.duration,
      });
    }
  };
  const observer = new PerformanceObserver((list) => collect(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  const endDelays = watchEventLoop();
  return Promise.resolve(async () => {
    const eventLoopDelays = endDelays();
    // Node hands an entry to JavaScript in the turn after the collection, and the
    // observer's callback comes later still: go one turn on, and take the rest.
    await nextTurn();
    collect(observer.takeRecords());
    observer.disconnect();
    garbageCollections.sort((a, b) => a.startMilliseconds - b.startMilliseconds);
    return { garbageCollections, eventLoopDelays };
  });
}

/**
 * A timer that is armed again each time it fires. `monitorEventLoopDelay` would
 * keep no times, only a histogram, and its timer disturbs the loop
 * (nodejs/node#56064).
 */
function watchEventLoop(): () => EventLoopDelay[] {
  const delays: EventLoopDelay[] = [];
  let due = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const durationMilliseconds = performance.now() - due;
    if (durationMilliseconds > timerResolutionMilliseconds) {
      delays.push({ startMilliseconds: due, durationMilliseconds });
    }
  };
  const arm = (): void => {
    due = performance.now() + periodMilliseconds;
    timer = setTimeout(() => {
      look();
      arm();
    }, periodMilliseconds);
    timer.unref();
  };
  arm();
  return () => {
    clearTimeout(timer);
    // The loop may be late at this very moment.
    look();
    return delays;
  };
}

function kindOf(entry: PerformanceEntry): GarbageCollection["kind"] {
  const { kind } = (entry as PerformanceEntry & { readonly detail: NodeGCPerformanceDetail })
    .detail;
  if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) return "major";
  if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) return "incremental";
  if (kind === constants.NODE_PERFORMANCE_GC_WEAKCB) return "weakCallbacks";
  return "minor";
}
