/**
 * The registry of error codes. This package declares those that a generator of
 * any kind can fail with. A package that has others adds them by declaration
 * merging, in one file that documents them, and exports the interface, so that
 * whoever imports the package knows its codes too:
 *
 * ```ts
 * export interface MyErrorCodes {
 *   readonly CACHE_STALE: true;
 * }
 * declare module "@streamgauge/core" {
 *   interface StreamgaugeErrorCodes extends MyErrorCodes {}
 * }
 * ```
 *
 * Codes are part of the public contract: they are added, never renamed.
 */
export interface StreamgaugeErrorCodes {
  /** A generation option is unknown, of the wrong type, out of range or contradictory. */
  readonly INVALID_CONFIG: true;
  /** The prompt is empty, of the wrong type, or nothing that the model can be given. */
  readonly INVALID_PROMPT: true;
  /** The prompt leaves no room for a token in the model's context. */
  readonly PROMPT_TOO_LONG: true;
  /** An option that was given to make something (a runtime, a ring, a stream) is wrong. */
  readonly INVALID_OPTION: true;
  /** Whatever makes the tokens failed while it ran. */
  readonly ENGINE_FAILED: true;
  /** The `onToken` callback threw or rejected; `cause` is what it threw. */
  readonly CALLBACK_FAILED: true;
  /** A stream of tokens can be iterated once; this was the second time. */
  readonly STREAM_CONSUMED: true;
}

/**
 * What went wrong, as a stable word: a code of this package, or of another one
 * of which the types are imported.
 */
export type ErrorCode = keyof StreamgaugeErrorCodes;
