import { StreamgaugeError, createGenerator, type Generator } from "@streamgauge/core";
import type { Diagnostic } from "../diagnostics/index.js";
import type { EngineDescription } from "../engine/engine.js";
import type { WorkerMemory } from "../protocol.js";
import type { RingOptions } from "../ring/index.js";
import { GenerationMetrics, type RuntimeMetrics } from "./metrics.js";
import { resolveRuntimeOptions, type RuntimeOptions } from "./options.js";
import { Scheduler } from "./scheduler.js";
import type { RunningWorkerDiagnostic } from "./worker-diagnostic.js";
import { WorkerPool } from "./worker-pool.js";

/** What runs, and where, as plain data. */
export interface RuntimeDescription extends EngineDescription {
  readonly workers: number;
  readonly ring: Required<RingOptions>;
}

/** Memory in bytes. */
export interface RuntimeMemory {
  /** Resident set of the whole process: every worker, its model, and this thread. */
  readonly residentBytes: number;
  readonly workers: readonly WorkerMemory[];
}

export interface CloseOptions {
  /** Longest wait for running generations, and loading workers, to come to an end. Default 10,000. */
  readonly timeoutMilliseconds?: number;
}

/** A model in worker threads. All of it may be called from the thread that made it only. */
export interface Runtime extends Generator, AsyncDisposable {
  describe(): RuntimeDescription;
  /** What it has done since it was made, and does now. Also after `close()`. */
  metrics(): RuntimeMetrics;
  /** Asks every worker; one in the middle of a step answers after it. */
  memory(): Promise<RuntimeMemory>;
  /**
   * Starts a diagnostic in every worker that there is. Begin and end it while no
   * generation runs: a worker answers between two steps, so that one in the
   * middle of a generation starts and stops anywhere in it.
   *
   * @throws StreamgaugeError `INVALID_OPTION` for a kind that is unknown or runs
   *   already; `WORKER_FAILED` when a worker ends meanwhile; `CLOSED`
   */
  startDiagnostic<K extends Diagnostic>(kind: K): Promise<RunningWorkerDiagnostic<K>>;
  /**
   * The files that the option `operatorProfile` had written, one for each worker,
   * in no order. Empty until `close()` has ended; a worker that was lost took its own along.
   */
  operatorProfiles(): readonly string[];
  /**
   * Stops generations that wait, run, or have ended with tokens that nobody has read;
   * they end with the reason "closed". Waits for them, frees the models and ends the workers. A worker is never ended in
   * the middle of a step, because that would end the process: if a step takes
   * longer than the time-out this rejects with `CLOSE_TIMEOUT`, and may be called again.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Starts the workers and loads the model in each. Resolves when all are ready;
 * when one fails, the others are closed and the reason is thrown.
 *
 * A worker that is lost later fails its own generations with `WORKER_FAILED` and
 * is replaced. When replacing leads nowhere (three that cannot load the model in
 * a row, or sixteen lost in a row without a generation that ended), the runtime
 * gives up: what runs goes on, and waiting and new calls reject with
 * `WORKER_FAILED` and the last cause.
 *
 * `process.exit()` in the calling thread lets running steps end first. A runtime in a worker thread
 * of your own is not told of `worker.terminate()` or of the main thread's `process.exit()`: either
 * aborts the whole process in the middle of a step. Let that thread `close()` first, and wait for it.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, `MODEL_NOT_FOUND`, `MODEL_CORRUPT`,
 *   `MODEL_UNSUPPORTED`, `WORKER_FAILED`
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { ring, maxQueue, observers, stepGate, ...poolOptions } = resolveRuntimeOptions(options);
  let scheduler: Scheduler | undefined;
  const pool = new WorkerPool(poolOptions, {
    onFree: () => scheduler?.dispatch(),
    onGivenUp: (error) => scheduler?.refuse(error),
  });
  let engine: EngineDescription;
  try {
    engine = await pool.ready();
  } catch (error) {
    await pool.close();
    throw error;
  }
  const metrics = new GenerationMetrics();
  scheduler = new Scheduler(pool, {
    ring,
    maxQueue,
    observers: [metrics, ...observers],
    stepGate,
    model: engine.model,
  });
  return startRuntime(pool, scheduler, metrics, { ...engine, workers: poolOptions.workers, ring });
}

const defaultCloseTimeoutMilliseconds = 10_000;
const exitTimeoutMilliseconds = 5_000;

function startRuntime(
  pool: WorkerPool,
  scheduler: Scheduler,
  metrics: GenerationMetrics,
  description: RuntimeDescription,
): Runtime {
  // Node ends the workers when the process exits, and one in the middle of a step
  // would turn the exit into an abort: let each finish its step first.
  const stopBeforeExit = (): void => scheduler.blockUntilStopped(exitTimeoutMilliseconds);
  process.once("exit", stopBeforeExit);
  const { stopAll, ...generator } = createGenerator(scheduler);
  let isClosed = false;
  let closing: Promise<void> | undefined;

  function throwIfClosed(): void {
    if (isClosed) throw closedError();
  }

  async function shutDown(): Promise<void> {
    const ended = scheduler.close(closedError());
    stopAll("closed");
    await ended;
    await pool.close();
    process.off("exit", stopBeforeExit);
  }

  async function close(options: CloseOptions = {}): Promise<void> {
    const { timeoutMilliseconds = defaultCloseTimeoutMilliseconds } = options;
    isClosed = true;
    closing ??= shutDown();
    await withTimeout(closing, timeoutMilliseconds);
  }

  return {
    ...generator,
    describe: () => description,
    metrics: () => {
      const { queued, active, delivery } = scheduler;
      return metrics.snapshot({ queued, active, delivery, workers: pool.counts });
    },
    memory: async () => {
      throwIfClosed();
      return { residentBytes: process.memoryUsage.rss(), workers: await pool.memory() };
    },
    operatorProfiles: () => pool.operatorProfiles,
    startDiagnostic: async <K extends Diagnostic>(kind: K) => {
      throwIfClosed();
      return await pool.startDiagnostic(kind, throwIfClosed);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function withTimeout(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StreamgaugeError(
          "CLOSE_TIMEOUT",
          `A generation or the loading of a model was still in the middle of a step after ` +
            `${milliseconds} ms. Its worker was left alone, because ending it now would end the ` +
            `process; closing goes on, and calling close() again waits for it.`,
        ),
      );
    }, milliseconds);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function closedError(): StreamgaugeError {
  return new StreamgaugeError("CLOSED", "This runtime is closed: create another.");
}
