import {
  StreamgaugeError,
  Transcript,
  createGenerator,
  type Collection,
  type GenerationBackend,
  type GenerationRequest,
  type GenerationSummary,
  type Generator,
  type StopReason,
  type TokenSource,
} from "@streamgauge/core";
import { Piscina } from "piscina";
import type { Diagnostic } from "../diagnostics/index.js";
import type { EngineDescription, EngineSpec } from "../engine/engine.js";
import type { GenerateOutcome, GenerateTask, Hello, WorkerMemory } from "../protocol.js";
import {
  createRing,
  createStateOnlyRing,
  type NewRing,
  type RingConsumer,
  type RingOptions,
} from "../ring/index.js";
import { resolveRuntimeOptions, type RuntimeLoadProgress, type RuntimeOptions } from "./options.js";
import { startWorkerDiagnostic, type RunningWorkerDiagnostic } from "./worker-diagnostic.js";
import { PoolWorker } from "./pool-worker.js";

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
  /** Longest wait for running generations to notice that they are stopped. Default 10,000. */
  readonly timeoutMilliseconds?: number;
}

/** A model in worker threads. All of it may be called from the thread that made it only. */
export interface Runtime extends Generator, AsyncDisposable {
  describe(): RuntimeDescription;
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
   * Stops running generations, which then end with the reason "closed", waits
   * for them, frees the models and ends the workers. A worker is never ended in
   * the middle of a step, because that would end the process: if a step takes
   * longer than the time-out this rejects with `CLOSE_TIMEOUT`, and may be called again.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Starts the workers and loads the model in each. Resolves when all are ready;
 * when one fails, the others are closed and the reason is thrown.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, `MODEL_NOT_FOUND`, `MODEL_CORRUPT`,
 *   `MODEL_UNSUPPORTED`, `WORKER_FAILED`
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { spec, workers, ring } = resolveRuntimeOptions(options);
  const pool = new WorkerPool(spec, workers, ring, options.onProgress ?? (() => undefined));
  let engine: EngineDescription;
  try {
    engine = await pool.ready();
  } catch (error) {
    await pool.close({});
    throw error;
  }
  const description: RuntimeDescription = { ...engine, workers, ring };
  return {
    ...createGenerator(pool),
    describe: () => description,
    memory: () => pool.memory(),
    operatorProfiles: () => pool.operatorProfiles,
    startDiagnostic: (kind) => pool.startDiagnostic(kind),
    close: (closeOptions = {}) => pool.close(closeOptions),
    [Symbol.asyncDispose]: () => pool.close({}),
  };
}

const defaultCloseTimeoutMilliseconds = 10_000;
const exitTimeoutMilliseconds = 5_000;

class WorkerPool implements GenerationBackend {
  readonly #piscina: Piscina<GenerateTask, GenerateOutcome>;
  readonly #ringOptions: Required<RingOptions>;
  readonly #workers = new Map<number, PoolWorker>();
  readonly #running = new Set<Submission>();
  operatorProfiles: readonly string[] = [];
  /** Settles when all workers have started, whether or not their models load. */
  readonly #started: Promise<void>;
  #clockOffsetMilliseconds = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(
    spec: EngineSpec,
    size: number,
    ringOptions: Required<RingOptions>,
    onProgress: (progress: RuntimeLoadProgress) => void,
  ) {
    this.#ringOptions = ringOptions;
    this.#piscina = new Piscina<GenerateTask, GenerateOutcome>({
      filename: new URL("../worker/entry.js", import.meta.url).href,
      minThreads: size,
      maxThreads: size,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: 1,
      // The default parks idle workers in Atomics.wait, where no control call is served.
      atomics: "disabled",
      workerHistogram: false,
    });
    this.#started = new Promise((resolve, reject) => {
      this.#piscina.on("message", (hello: Hello) => {
        const { threadId } = hello;
        const forget = (): void => void this.#workers.delete(threadId);
        const worker = new PoolWorker(hello, spec, onProgress, forget);
        this.#workers.set(threadId, worker);
        if (this.#workers.size === size) resolve();
      });
      // Also emitted later, for a worker lost between two tasks; piscina replaces it.
      this.#piscina.on("error", (cause: unknown) => {
        reject(workerFailed("A worker failed to start.", cause));
      });
    });
    process.once("exit", this.#stopBeforeExit);
  }

  /** Resolves when every worker has loaded the model. */
  async ready(): Promise<EngineDescription> {
    // piscina's idle workers do not keep the process open; this does until they are loaded.
    const keepAlive = setInterval(() => undefined, 1000);
    try {
      await this.#started;
      const workers = [...this.#workers.values()];
      // All of them, also after a failure: a worker must not be ended while it loads.
      await Promise.allSettled(workers.map(({ loaded }) => loaded));
      const [description] = await Promise.all(workers.map(({ loaded }) => loaded));
      if (description === undefined) throw workerFailed("No worker has started.", undefined);
      // One platform, one offset: it is 0 wherever Node's threads share their clock.
      this.#clockOffsetMilliseconds = workers[0]?.clockOffsetMilliseconds ?? 0;
      return description;
    } finally {
      clearInterval(keepAlive);
    }
  }

  collect(request: GenerationRequest): Collection {
    const ring = createStateOnlyRing();
    const { finished, stop } = this.#submit("collect", request, ring);
    return {
      stop,
      finished: finished.then((outcome) =>
        outcome.kind === "collected"
          ? outcome.result
          : new Transcript(request.config.logprobs).result(summaryOf(outcome, ring)),
      ),
    };
  }

  stream(request: GenerationRequest): TokenSource {
    const ring = createRing(this.#ringOptions, this.#clockOffsetMilliseconds);
    const { consumer } = ring;
    const { finished, stop } = this.#submit("stream", request, ring);
    const summary = finished.then((outcome) => summaryOf(outcome, ring));
    // Whoever consumes the source sees the rejection, but perhaps not at once.
    summary.catch(() => undefined);
    return {
      poll: () => consumer.poll(),
      wait: () => consumer.wait(),
      stop,
      get stopReason() {
        return consumer.stopReason;
      },
      finished: summary,
    };
  }

  async memory(): Promise<RuntimeMemory> {
    if (this.#closed) throw closedError();
    const workers = await Promise.all([...this.#workers.values()].map((worker) => worker.memory()));
    return { residentBytes: process.memoryUsage.rss(), workers };
  }

  async startDiagnostic<K extends Diagnostic>(kind: K): Promise<RunningWorkerDiagnostic<K>> {
    const throwIfClosed = (): void => {
      if (this.#closed) throw closedError();
    };
    throwIfClosed();
    return await startWorkerDiagnostic([...this.#workers.values()], kind, throwIfClosed);
  }

  close({ timeoutMilliseconds = defaultCloseTimeoutMilliseconds }: CloseOptions): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#shutDown(timeoutMilliseconds).catch((error: unknown) => {
      this.#closing = undefined;
      throw error;
    });
    return this.#closing;
  }

  #submit(mode: GenerateTask["mode"], request: GenerationRequest, ring: NewRing): Submission {
    const { consumer } = ring;
    let withdraw!: (outcome: Outcome) => void;
    const withdrawn = new Promise<Outcome>((resolve) => {
      withdraw = resolve;
    });
    const submission: Submission = {
      consumer,
      finished: Promise.race([this.#run({ mode, request }, ring), withdrawn]).finally(() => {
        this.#running.delete(submission);
        // A worker that died could not say so itself.
        consumer.declareLost();
      }),
      stop: (reason) => {
        consumer.stop(reason);
        if (consumer.withdraw()) withdraw({ kind: "withdrawn" });
      },
    };
    this.#running.add(submission);
    submission.finished.catch(() => undefined);
    return submission;
  }

  async #run(
    task: Pick<GenerateTask, "mode" | "request">,
    { memory, transfer }: NewRing,
  ): Promise<Outcome> {
    if (this.#closed) throw closedError();
    const calledAtMilliseconds = performance.now() - this.#clockOffsetMilliseconds;
    let outcome: GenerateOutcome;
    try {
      outcome = await this.#piscina.run(
        { ...task, ring: memory, calledAtMilliseconds },
        { transferList: [...transfer] },
      );
    } catch (cause) {
      throw workerFailed(
        "The worker of this generation ended before it did; another takes its place. " +
          "Try again, and see `cause`.",
        cause,
      );
    }
    if (outcome.kind === "failed") throw StreamgaugeError.fromWire(outcome.error);
    return outcome;
  }

  async #shutDown(timeoutMilliseconds: number): Promise<void> {
    const running = [...this.#running];
    for (const { stop } of running) stop("closed");
    await withTimeout(
      Promise.allSettled(running.map(({ finished }) => finished)),
      timeoutMilliseconds,
    );
    const workers = [...this.#workers.values()];
    const closed = await Promise.allSettled(workers.map((worker) => worker.close()));
    await this.#piscina.destroy();
    this.operatorProfiles = closed.flatMap((outcome) =>
      outcome.status === "fulfilled" && outcome.value !== undefined ? [outcome.value] : [],
    );
    process.off("exit", this.#stopBeforeExit);
  }

  /**
   * Node ends the workers when the process exits, and one in the middle of a step
   * would turn the exit into an abort: let each finish its step first.
   */
  readonly #stopBeforeExit = (): void => {
    for (const { stop } of this.#running) stop("closed");
    for (const { consumer } of this.#running) consumer.blockUntilEnded(exitTimeoutMilliseconds);
  };
}

type Outcome = Exclude<GenerateOutcome, { kind: "failed" }>;

interface Submission {
  /** How the task ended; rejects with a typed error when it failed. */
  readonly finished: Promise<Outcome>;
  readonly stop: (reason: StopReason) => void;
  readonly consumer: RingConsumer;
}

/** A withdrawn generation never began: it has no tokens, and its prompt was not counted. */
function summaryOf(outcome: Outcome, { consumer }: NewRing): GenerationSummary {
  if (outcome.kind === "streamed") return outcome.summary;
  return {
    finishReason: consumer.stopReason ?? "cancelled",
    promptTokens: 0,
    producedTokens: 0,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
}

async function withTimeout(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StreamgaugeError(
          "CLOSE_TIMEOUT",
          `A generation was still in the middle of a step after ${milliseconds} ms. Its worker ` +
            `was left alone, because ending it now would end the process: call close() again.`,
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

function workerFailed(message: string, cause: unknown): StreamgaugeError {
  return new StreamgaugeError("WORKER_FAILED", message, { cause });
}

function closedError(): StreamgaugeError {
  return new StreamgaugeError("CLOSED", "This runtime is closed: create another.");
}
