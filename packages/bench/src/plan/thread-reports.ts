/** What threads can report of themselves: the kinds of `@streamgauge/runtime/diagnostics`. */
export type ThreadReportKind = "cpuProfile" | "allocations" | "timeline" | "asyncActivity";

/** Starts one kind of report on one or several threads; nothing is generated meanwhile. */
export type UntypedDiagnostics = (
  kind: ThreadReportKind,
) => Promise<{ stop(): Promise<readonly UntypedThreadReport[]> }>;

/** The report of one thread. */
export interface UntypedThreadReport {
  /** `main`, or `worker 0`, `worker 1`, … */
  readonly thread: string;
  /** Added to the thread's `performance.now()` to get the calling thread's. */
  readonly clockOffsetMilliseconds: number;
  /**
   * What `ThreadReports` of `@streamgauge/runtime/diagnostics` has for the kind. These types have to
   * hold where that package is not installed.
   */
  readonly report: unknown;
}
