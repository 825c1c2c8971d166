import type { Diagnostic, ThreadReports } from "@streamgauge/runtime/diagnostics";
import type { UntypedThreadReport } from "../plan/thread-reports.js";

/** Starts one kind of report on one or several threads; nothing is generated meanwhile. */
export type Diagnostics = <Kind extends Diagnostic>(kind: Kind) => Promise<RunningReports<Kind>>;

/** Reports that are being made. */
export interface RunningReports<Kind extends Diagnostic> {
  stop(): Promise<readonly ThreadReport<Kind>[]>;
}

/** The report of one thread. */
export interface ThreadReport<Kind extends Diagnostic> extends UntypedThreadReport {
  readonly report: ThreadReports[Kind];
}
