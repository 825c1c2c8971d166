import { isStreamgaugeError } from "@streamgauge/core";
import { isAnswerStatus } from "../adapters/answer-status.js";

/** Causes have causes; none is this deep. */
const deepest = 8;

/** Codes of the operating system and of Node's own client, such as ECONNRESET. */
const systemCode = /^(?:E[A-Z\d]+|UND_ERR_[A-Z_]+)$/;

/**
 * What a failed request is counted under: `HTTP 429` for a status, the system's code for a connection,
 * and otherwise the code of our error. Messages differ from request to request; kinds are few.
 */
export function errorKind(error: unknown): string {
  let cause: unknown = error;
  for (let depth = 0; depth < deepest && cause instanceof Error; depth += 1) {
    if (isAnswerStatus(cause)) return `HTTP ${cause.status}`;
    if ("code" in cause && typeof cause.code === "string" && systemCode.test(cause.code)) {
      return cause.code;
    }
    cause = cause.cause;
  }
  return isStreamgaugeError(error) ? error.code : "unknown";
}
