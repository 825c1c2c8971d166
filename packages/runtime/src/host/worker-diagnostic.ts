import type { Diagnostic } from "../diagnostics/index.js";
import type { WorkerReport } from "../protocol.js";
import type { PoolWorker } from "./pool-worker.js";

/** A diagnostic that watches the workers of a runtime. */
export interface RunningWorkerDiagnostic<K extends Diagnostic> {
  /**
   * Ends it in every worker and returns what each saw; a second call returns the
   * same. A worker that took a lost one's place was not watched.
   *
   * @throws StreamgaugeError `WORKER_FAILED` when a watched worker has ended, and
   *   its report with it; `CLOSED`
   */
  stop(): Promise<readonly WorkerReport<K>[]>;
}

/**
 * Starts a diagnostic in all of these workers, or in none.
 *
 * @param throwIfClosed says so, in the place of a worker that closing has ended
 */
export async function startWorkerDiagnostic<K extends Diagnostic>(
  workers: readonly PoolWorker[],
  kind: K,
  throwIfClosed: () => void,
): Promise<RunningWorkerDiagnostic<K>> {
  const starts = await Promise.allSettled(workers.map((worker) => worker.startDiagnostic(kind)));
  const failure = starts.find((start) => start.status === "rejected");
  if (failure !== undefined) {
    const started = workers.filter((_, position) => starts[position]?.status === "fulfilled");
    await Promise.allSettled(started.map((worker) => worker.stopDiagnostic(kind)));
    throwIfClosed();
    throw failure.reason;
  }
  let reports: Promise<readonly WorkerReport<K>[]> | undefined;
  const stopAll = async (): Promise<readonly WorkerReport<K>[]> => {
    throwIfClosed();
    // Each of them is ended also when another fails.
    const stops = workers.map((worker) => worker.stopDiagnostic(kind));
    const outcomes = await Promise.allSettled(stops);
    if (outcomes.some(({ status }) => status === "rejected")) throwIfClosed();
    return await Promise.all(stops);
  };
  return { stop: () => (reports ??= stopAll()) };
}
