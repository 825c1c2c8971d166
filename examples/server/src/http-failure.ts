import { isStreamgaugeError, type ErrorCode } from "@streamgauge/core";

/** An answer that is an error, in the shape that OpenAI's clients turn into their typed errors. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string | null;
    };
  };

  constructor(status: number, message: string, details: HttpFailureDetails = {}) {
    super(message, { cause: details.cause });
    this.status = status;
    this.headers = details.headers ?? {};
    this.body = {
      error: {
        message,
        type: typeFor(status),
        param: details.param ?? null,
        code: details.code ?? null,
      },
    };
  }
}

export interface HttpFailureDetails {
  /** The parameter of the request that is wrong, such as `messages[0].content`. */
  readonly param?: string;
  /** A stable word for programs. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Seconds until a client that found the queue full should try again. */
const retryAfterSeconds = 1;

/** Failures of a generation that are not the server's own. */
const statusOf: Partial<Record<ErrorCode, number>> = {
  INVALID_CONFIG: 400,
  INVALID_PROMPT: 400,
  PROMPT_TOO_LONG: 400,
  QUEUE_FULL: 429,
  CLOSED: 503,
};

/** Makes anything that was thrown an answer. What nobody foresaw keeps its message to itself. */
export function toHttpFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  if (!isStreamgaugeError(error)) {
    return new HttpFailure(500, "The server failed; its log says why.", { cause: error });
  }
  const { code, message } = error;
  const isAboutPrompt = code === "INVALID_PROMPT" || code === "PROMPT_TOO_LONG";
  return new HttpFailure(statusOf[code] ?? 500, message, {
    code: code === "PROMPT_TOO_LONG" ? "context_length_exceeded" : code,
    cause: error,
    ...(isAboutPrompt ? { param: "prompt" } : {}),
    ...(code === "QUEUE_FULL" ? { headers: { "retry-after": String(retryAfterSeconds) } } : {}),
  });
}

/** The answer to whoever asks for a model that is not served. */
export function otherModel(asked: string, served: string): HttpFailure {
  return new HttpFailure(
    404,
    `The model ${JSON.stringify(asked)} does not exist; this server has "${served}".`,
    { param: "model", code: "model_not_found" },
  );
}

function typeFor(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}
