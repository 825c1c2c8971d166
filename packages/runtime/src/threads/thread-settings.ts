import type { InferenceSession } from "onnxruntime-node";

/** How onnxruntime's threads work on a step. */
export interface ThreadSettings {
  /** Threads of one run, the calling one included; ≥ 1. */
  readonly threads: number;
  /**
   * How long a thread that has nothing to do looks for work before it sleeps, in microseconds;
   * 0: it sleeps at once. A single thread never waits.
   */
  readonly spinMicroseconds: number;
}

/**
 * Where settings come from that nobody chose. "keep": from what was measured before, or from a short
 * measurement while loading, which is kept. "measure": likewise, and nothing is written. "rule": from
 * the size of the model's weights and the number of cores; nothing is measured, read or written.
 */
export const tunings = ["keep", "measure", "rule"] as const;

/** One of {@link tunings}. */
export type Tuning = (typeof tunings)[number];

/** What a step took with them, in microseconds. */
export interface TimedSettings extends ThreadSettings {
  readonly microseconds: number;
}

/** Longest that threads may be told to spin: what goes on longer is a pause, and no step. */
export const mostSpinMicroseconds = 10_000;

export function areEqual(one: ThreadSettings, other: ThreadSettings): boolean {
  return one.threads === other.threads && one.spinMicroseconds === other.spinMicroseconds;
}

/** For people: `2 threads that spin for 50 µs`. */
export function inWords({ threads, spinMicroseconds }: ThreadSettings): string {
  if (threads === 1) return "1 thread";
  const idle = spinMicroseconds === 0 ? "do not spin" : `spin for ${spinMicroseconds} µs`;
  return `${threads} threads that ${idle}`;
}

/** Thread settings in onnxruntime's words: for a session, and for `extra.session.intra_op` of it. */
export function threadOptions({ threads, spinMicroseconds }: ThreadSettings): {
  readonly pool: Pick<InferenceSession.SessionOptions, "intraOpNumThreads" | "interOpNumThreads">;
  readonly intraOp: Readonly<Record<string, string>>;
} {
  return {
    pool: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    intraOp:
      spinMicroseconds === 0
        ? { allow_spinning: "0" }
        : { allow_spinning: "1", spin_duration_us: String(spinMicroseconds) },
  };
}
