/** The error codes of this package, beside those of `@streamgauge/core`. */
export interface RuntimeErrorCodes {
  /** The model folder, or a file it needs, is not there. */
  readonly MODEL_NOT_FOUND: true;
  /** A file of the model is damaged or does not parse. */
  readonly MODEL_CORRUPT: true;
  /** The model is intact, but it is not one this runtime can run. */
  readonly MODEL_UNSUPPORTED: true;
  /** The worker thread of this generation ended before it did. */
  readonly WORKER_FAILED: true;
  /** As many generations wait as may: try again later, or raise the limit. */
  readonly QUEUE_FULL: true;
  /** The generator is closed. */
  readonly CLOSED: true;
  /** Closing waited as long as it was allowed to, and a generation was still running. */
  readonly CLOSE_TIMEOUT: true;
}

declare module "@streamgauge/core" {
  interface StreamgaugeErrorCodes extends RuntimeErrorCodes {}
}
