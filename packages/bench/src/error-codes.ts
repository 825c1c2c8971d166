/** The error codes of this package, beside those of `@streamgauge/core` and `@streamgauge/runtime`. */
export interface BenchErrorCodes {
  /** Runs that have to make the same tokens made different ones. */
  readonly OUTPUT_MISMATCH: true;
  /** A result record is not one this version can read. */
  readonly INVALID_RECORD: true;
  /** A file of raw samples is damaged, or not one this version can read. */
  readonly INVALID_RAW_SAMPLES: true;
  /** A file of claims is not there, or a field of it is wrong. */
  readonly INVALID_CLAIMS: true;
  /** A module of scenarios does not load, or has none. */
  readonly INVALID_SCENARIOS: true;
  /** An endpoint that is to be measured does not answer as one. */
  readonly ENDPOINT_FAILED: true;
  /** What was asked for needs `@streamgauge/runtime`, and it is not installed. */
  readonly RUNTIME_MISSING: true;
  /** A process that measured ended before it was done. */
  readonly PROCESS_FAILED: true;
  /** What another machine measured for a run is damaged, or not what it was asked for. */
  readonly INVALID_PART: true;
  /** What was asked for needs `@streamgauge/fleet`, and it is not installed. */
  readonly FLEET_MISSING: true;
}

declare module "@streamgauge/core" {
  interface StreamgaugeErrorCodes extends BenchErrorCodes {}
}
