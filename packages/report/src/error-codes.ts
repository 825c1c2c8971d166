/** The error codes of this package, beside those of `@streamgauge/bench`. */
export interface ReportErrorCodes {
  /** Outside the workspace a report has to be told which document to write. */
  readonly OUT_REQUIRED: true;
  /** A file that would be overwritten was not written by a report. */
  readonly FOREIGN_FILE: true;
  /** The documents of the workspace are written from committed records only. */
  readonly NOT_COMMITTED: true;
}

declare module "@streamgauge/core" {
  interface StreamgaugeErrorCodes extends ReportErrorCodes {}
}
