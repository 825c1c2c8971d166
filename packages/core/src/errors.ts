import type { ErrorCode } from "./error-codes.js";

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

/** The message of whatever was thrown. It never throws itself, as `String()` can. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return `a thrown ${typeof error} that has no text`;
  }
}
