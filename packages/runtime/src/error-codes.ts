/** The error codes of this package, beside those of `@streamgauge/core`. */
export interface RuntimeErrorCodes {
  /** The model folder, or a file it needs, is not there. */
  readonly MODEL_NOT_FOUND: true;
  /** A file of the model is damaged or does not parse. */
  readonly MODEL_CORRUPT: true;
  /** The model is intact, but it is not one this runtime can run. */
  readonly MODEL_UNSUPPORTED: true;
  /** A hub of models cannot be reached, or does not answer as one; later it may. */
  readonly HUB_FAILED: true;
  /** A hub does not give a model to whoever asks so: a token or its conditions are missing. */
  readonly HUB_DENIED: true;
  /** A pulled file cannot be written: the disk is full, or the folder may not be written to. */
  readonly CACHE_FAILED: true;
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
