import { runInNewContext } from "node:vm";

/** Work took longer than it may. */
export class TimeLimitExceeded extends Error {}

/**
 * Runs synchronous work and ends it wherever it is when it takes too long, in
 * the middle of a pattern's search as well. Costs a millisecond by itself.
 *
 * @throws TimeLimitExceeded
 */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  try {
    return runInNewContext("work()", { work }, { timeout: milliseconds }) as T;
  } catch (cause) {
    if (!isTimeout(cause)) throw cause;
    throw new TimeLimitExceeded(`it takes longer than ${milliseconds} ms`, { cause });
  }
}

/** The error is of the other context, so that it is no `Error` here. */
function isTimeout(cause: unknown): boolean {
  return (
    typeof cause === "object" &&
    cause !== null &&
    "code" in cause &&
    cause.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}
