import type { ObservedTokens } from "./slow-gaps.js";

/**
 * A generation as a trace in Chrome's format, which Perfetto opens: one row for
 * each thread with its collections and delays, and one with the gaps between
 * tokens. All on the calling thread's clock, from the first token on.
 */
export function renderTimelineTrace(tokens: ObservedTokens): string {
  const { deliveredMilliseconds: delivered, timelines } = tokens;
  const origin = delivered[0] ?? 0;
  const event = (row: number, name: string, start: number, duration: number): object => ({
    name,
    ph: "X",
    pid: 1,
    tid: row,
    ts: Math.round((start - origin) * 1e3),
    dur: Math.round(duration * 1e3),
  });
  const rowName = (row: number, name: string): object => ({
    name: "thread_name",
    ph: "M",
    pid: 1,
    tid: row,
    args: { name },
  });
  const gaps = Array.from(delivered.subarray(1), (now, index) => {
    const before = delivered[index] as number;
    return event(0, `token ${index + 1}`, before, now - before);
  });
  const threads = timelines.flatMap(({ thread, clockOffsetMilliseconds, report }, index) => {
    const row = index + 1;
    const offset = clockOffsetMilliseconds;
    return [
      rowName(row, thread),
      ...report.garbageCollections.map((pause) =>
        event(
          row,
          `${pause.kind} GC`,
          pause.startMilliseconds + offset,
          pause.durationMilliseconds,
        ),
      ),
      ...report.eventLoopDelays.map((delay) =>
        event(
          row,
          "event loop delay",
          delay.startMilliseconds + offset,
          delay.durationMilliseconds,
        ),
      ),
    ];
  });
  return JSON.stringify({ traceEvents: [rowName(0, "tokens delivered"), ...gaps, ...threads] });
}
