import { describe, expect, it } from "vitest";
import type { ThreadTimeline } from "@streamgauge/runtime/diagnostics";
import type { ThreadReport } from "../src/profile/thread-report.js";
import { findSlowestGaps, type ObservedTokens } from "../src/profile/slow-gaps.js";
import { summarizeTimelines } from "../src/profile/timeline-summary.js";
import { renderTimelineTrace } from "../src/profile/timeline-trace.js";

/** Tokens made each millisecond and delivered 0.1 ms later, where nothing was late. */
function tokens(
  late: { readonly made?: Record<number, number>; readonly delivered?: Record<number, number> },
  timelines: readonly ThreadReport<"timeline">[] = [],
): ObservedTokens {
  const produced = new Float64Array(20);
  const delivered = new Float64Array(20);
  let now = 1000;
  for (let index = 0; index < 20; index += 1) {
    now += 1 + (late.made?.[index] ?? 0);
    produced[index] = now;
    delivered[index] = now + 0.1 + (late.delivered?.[index] ?? 0);
  }
  return { producedMilliseconds: produced, deliveredMilliseconds: delivered, timelines };
}

function timeline(
  thread: string,
  timelineOfThread: Partial<ThreadTimeline>,
  clockOffsetMilliseconds = 0,
): ThreadReport<"timeline"> {
  const report = { garbageCollections: [], eventLoopDelays: [], ...timelineOfThread };
  return { thread, clockOffsetMilliseconds, report };
}

function causeOfSlowest(observed: ObservedTokens): string | null | undefined {
  return findSlowestGaps([observed])[0]?.cause;
}

describe("findSlowestGaps", () => {
  it("names a collection of the producer, on the caller's clock", () => {
    const pause = { kind: "major", startMilliseconds: 507.5, durationMilliseconds: 4.1 } as const;
    const worker = timeline("worker 0", { garbageCollections: [pause] }, 500);
    const [slowest] = findSlowestGaps([tokens({ made: { 7: 4.2 } }, [worker])]);
    expect(slowest).toMatchObject({
      generation: 0,
      tokenIndex: 7,
      quantile: 18 / 19,
      cause: "major GC 4.1 ms on worker 0",
    });
    expect(slowest?.gapNanoseconds).toBe(5_200_000);
  });

  it("sums the collections of one kind, and cuts them at the gap's ends", () => {
    const pause = (startMilliseconds: number) => ({
      kind: "minor" as const,
      startMilliseconds,
      durationMilliseconds: 1,
    });
    // The gap before token 7 lasts from 1007.1 to 1011.1.
    const main = timeline("main", {
      garbageCollections: [pause(1006.6), pause(1008), pause(1010)],
    });
    expect(causeOfSlowest(tokens({ delivered: { 7: 3 }, made: {} }, [main]))).toBe(
      "minor GC 2.5 ms on main",
    );
  });

  it("does not blame a collection that explains little", () => {
    const pause = { kind: "minor", startMilliseconds: 1008, durationMilliseconds: 0.5 } as const;
    const worker = timeline("worker 0", { garbageCollections: [pause] });
    expect(causeOfSlowest(tokens({ made: { 7: 4 } }, [worker]))).toBe(
      "made late: a step of 5.0 ms",
    );
  });

  it("tells a late delivery from a late step, and looks at the consumer's event loop", () => {
    const delayed = { startMilliseconds: 1008, durationMilliseconds: 3 };
    const late = { delivered: { 7: 3 } };
    expect(causeOfSlowest(tokens(late, [timeline("main", { eventLoopDelays: [delayed] })]))).toBe(
      "event loop delay 3.0 ms on main",
    );
    const worker = timeline("worker 0", { eventLoopDelays: [delayed] });
    expect(causeOfSlowest(tokens(late, [worker]))).toBe("delivered late: 3.1 ms after it was made");
  });

  it("knows nothing where production is unknown and nothing overlapped", () => {
    const observed = tokens({ made: { 7: 4 } });
    observed.producedMilliseconds.fill(Number.NaN);
    expect(causeOfSlowest(observed)).toBeNull();
  });

  it("keeps the ten slowest of all generations", () => {
    const slow = { made: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [i + 2, i + 1])) };
    const gaps = findSlowestGaps([tokens(slow), tokens(slow)]);
    expect(gaps).toHaveLength(10);
    expect(new Set(gaps.map(({ generation }) => generation))).toEqual(new Set([0, 1]));
    const nanoseconds = gaps.map(({ gapNanoseconds }) => gapNanoseconds);
    expect(nanoseconds).toEqual(nanoseconds.toSorted((a, b) => b - a));
  });

  it("has nothing to say of a single token", () => {
    const none = new Float64Array(1);
    expect(
      findSlowestGaps([{ deliveredMilliseconds: none, producedMilliseconds: none, timelines: [] }]),
    ).toEqual([]);
  });
});

describe("summarizeTimelines", () => {
  it("sums the pauses of each thread over all generations", () => {
    const pause = (durationMilliseconds: number) => ({
      kind: "minor" as const,
      startMilliseconds: 0,
      durationMilliseconds,
    });
    const generation = (milliseconds: number): ObservedTokens =>
      tokens({}, [
        timeline("main", { garbageCollections: [pause(milliseconds), pause(1)] }),
        timeline("worker 0", {
          eventLoopDelays: [{ startMilliseconds: 0, durationMilliseconds: milliseconds }],
        }),
      ]);
    expect(summarizeTimelines([generation(2), generation(5)]).threads).toEqual([
      {
        thread: "main",
        garbageCollections: 4,
        garbageCollectionMilliseconds: 9,
        longestGarbageCollectionMilliseconds: 5,
        longestEventLoopDelayMilliseconds: 0,
      },
      {
        thread: "worker 0",
        garbageCollections: 0,
        garbageCollectionMilliseconds: 0,
        longestGarbageCollectionMilliseconds: 0,
        longestEventLoopDelayMilliseconds: 5,
      },
    ]);
  });
});

describe("renderTimelineTrace", () => {
  it("puts tokens and pauses on one clock, in microseconds since the first token", () => {
    const pause = { kind: "major", startMilliseconds: 502, durationMilliseconds: 4.1 } as const;
    const observed = tokens({}, [timeline("worker 0", { garbageCollections: [pause] }, 500)]);
    const { traceEvents } = JSON.parse(renderTimelineTrace(observed)) as {
      traceEvents: { name: string; tid: number; ts?: number; dur?: number }[];
    };
    // The first token is delivered at 1001.1.
    expect(traceEvents).toContainEqual(
      expect.objectContaining({ name: "token 1", tid: 0, ts: 0, dur: 1000 }),
    );
    expect(traceEvents).toContainEqual(
      expect.objectContaining({ name: "major GC", tid: 1, ts: 900, dur: 4100 }),
    );
    expect(traceEvents.filter(({ name }) => name === "thread_name")).toHaveLength(2);
  });
});
