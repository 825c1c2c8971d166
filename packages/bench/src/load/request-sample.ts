import type { JudgedRequest } from "./objective.js";

/** What was seen of one request. Times are integers, in nanoseconds. */
export interface RequestSample {
  /** Of its arrival. */
  readonly index: number;
  readonly stage: number;
  /** After the beginning of the schedule. */
  readonly dueNanoseconds: number;
  /** Sent − due. */
  readonly latenessNanoseconds: number;
  readonly outcome: "completed" | "failed" | "interrupted";
  /** Kind of its failure; null unless it failed. */
  readonly error: string | null;
  /** As the server counts them; 0 unless it was completed. */
  readonly outputTokens: number;
  /** null where the server does not count them. */
  readonly promptTokens: number | null;
  /** Settled − due. */
  readonly endNanoseconds: number;
  /** Delivered − due, of each chunk with text. */
  readonly deliveredNanoseconds: ArrayLike<number>;
}

/** What follows from a sample. */
export interface RequestTimes extends JudgedRequest {
  /** Delivered(i) − delivered(i − 1). */
  readonly gapsNanoseconds: readonly number[];
}

/** The latencies of a request, from its samples. */
export function timesOf({
  deliveredNanoseconds: delivered,
  endNanoseconds,
  outputTokens,
}: RequestSample): RequestTimes {
  const times = Array.from(delivered);
  const gapsNanoseconds = times.slice(1).map((now, index) => now - (times[index] ?? now));
  const first = times[0];
  const last = times.at(-1);
  return {
    gapsNanoseconds,
    timeToFirstTokenNanoseconds: first ?? null,
    longestGapNanoseconds:
      gapsNanoseconds.length === 0
        ? null
        : gapsNanoseconds.reduce((longest, gap) => Math.max(longest, gap), 0),
    // Several tokens in one chunk have no time between them.
    timePerOutputTokenNanoseconds:
      first === undefined || last === undefined || times.length < 2 || outputTokens < 2
        ? null
        : Math.round((last - first) / (outputTokens - 1)),
    endToEndNanoseconds: endNanoseconds,
  };
}
