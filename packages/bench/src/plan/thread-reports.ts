import type { Diagnostic, ThreadReports } from "@streamgauge/runtime/diagnostics";

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
