/**
 * What went wrong, as a stable word. Codes are part of the public contract:
 * they are added, never renamed.
 */
export type ErrorCode =
  /** A generation option is unknown, of the wrong type, out of range or contradictory. */
  | "INVALID_CONFIG"
  /** The prompt is empty, of the wrong type, or nothing that the model can be given. */
  | "INVALID_PROMPT"
  /** The prompt leaves no room for a token in the model's context. */
  | "PROMPT_TOO_LONG"
  /** An option given when a runtime, a ring or a builder was made is wrong. */
  | "INVALID_OPTION"
  /** The model folder, or a file it needs, is not there. */
  | "MODEL_NOT_FOUND"
  /** A file of the model is damaged or does not parse. */
  | "MODEL_CORRUPT"
  /** The model is intact, but it is not one this runtime can run. */
  | "MODEL_UNSUPPORTED"
  /** A running model failed inside onnxruntime. */
  | "ENGINE_FAILED"
  /** The worker thread of this generation ended before it did. */
  | "WORKER_FAILED"
  /** As many generations wait as may: try again later, or raise the limit. */
  | "QUEUE_FULL"
  /** The `onToken` callback threw or rejected; `cause` is what it threw. */
  | "CALLBACK_FAILED"
  /** A stream of tokens can be iterated once; this was the second time. */
  | "STREAM_CONSUMED"
  /** The generator is closed. */
  | "CLOSED"
  /** Closing waited as long as it was allowed to, and a generation was still running. */
  | "CLOSE_TIMEOUT"
  /** Runs that have to make the same tokens made different ones. */
  | "OUTPUT_MISMATCH"
  /** A result record is not one this version can read. */
  | "INVALID_RECORD"
  /** A file of raw samples is damaged, or not one this version can read. */
  | "INVALID_RAW_SAMPLES"
  /** A file of claims is not there, or a field of it is wrong. */
  | "INVALID_CLAIMS"
  /** A module of scenarios does not load, or has none. */
  | "INVALID_SCENARIOS"
  /** A process that measured ended before it was done. */
  | "PROCESS_FAILED";

/** A failure in a form that survives `postMessage`; see {@link StreamgaugeError.toWire}. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** The message of the cause. */
  readonly cause?: string;
  readonly partial?: PartialGeneration;
}

export interface StreamgaugeErrorOptions {
  readonly cause?: unknown;
  /** Text and ids that were delivered before the failure, where there are any. */
  readonly partial?: PartialGeneration;
}

/** What a failed generation had made before it failed. */
export interface PartialGeneration {
  readonly ids: readonly number[];
  readonly text: string;
}

const brand: unique symbol = Symbol.for("@streamgauge/core/error");

/**
 * The one error class of all streamgauge packages. The message names the thing
 * that is wrong and the remedy; `code` is for programs.
 *
 * Two copies of this package can be loaded in one process: test with
 * {@link isStreamgaugeError}, not with `instanceof`.
 */
export class StreamgaugeError extends Error {
  override readonly name = "StreamgaugeError";
  readonly code: ErrorCode;
  readonly partial: PartialGeneration | undefined;

  constructor(code: ErrorCode, message: string, options: StreamgaugeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.partial = options.partial;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The error as a plain object, because structured cloning drops `code`. */
  static toWire(error: unknown, fallback: ErrorCode): WireError {
    const cause = error instanceof Error ? error.cause : undefined;
    const partial = isStreamgaugeError(error) ? error.partial : undefined;
    return {
      code: isStreamgaugeError(error) ? error.code : fallback,
      message: messageOf(error),
      ...(cause === undefined ? {} : { cause: messageOf(cause) }),
      ...(partial === undefined ? {} : { partial }),
    };
  }

  /** The inverse of {@link StreamgaugeError.toWire}, on the receiving thread. */
  static fromWire({ code, message, cause, partial }: WireError): StreamgaugeError {
    return new StreamgaugeError(code, message, {
      ...(cause === undefined ? {} : { cause: new Error(cause) }),
      ...(partial === undefined ? {} : { partial }),
    });
  }
}

/**
 * Whether a value is a streamgauge error, whichever copy of the package made it.
 *
 * @param code when given, the error must also have this code
 */
export function isStreamgaugeError(value: unknown, code?: ErrorCode): value is StreamgaugeError {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  return code === undefined || ("code" in value && value.code === code);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
