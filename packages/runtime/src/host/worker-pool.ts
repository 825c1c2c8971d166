import { StreamgaugeError, isStreamgaugeError, type GenerationRequest } from "@streamgauge/core";
import { Piscina } from "piscina";
import type { Diagnostic } from "../diagnostics/index.js";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";
import type { EngineDescription, EngineSpec } from "../engine/engine.js";
import type { GenerateOutcome, GenerateTask, Hello, WorkerMemory } from "../protocol.js";
import type { NewRing } from "../ring/index.js";
import type { RuntimeLoadProgress } from "./options.js";
import { PoolWorker, type PoolWorkerListener } from "./pool-worker.js";
import { routeByPrefix } from "./prefix-routing.js";
import { ReplacementLimit } from "./replacement-limit.js";
import { startWorkerDiagnostic, type RunningWorkerDiagnostic } from "./worker-diagnostic.js";

export interface WorkerPoolOptions {
  readonly spec: EngineSpec;
  readonly workers: number;
  readonly maxHeapMegabytes: number | undefined;
  readonly onProgress: (progress: RuntimeLoadProgress) => void;
}

/** What the pool tells whoever gives it generations. */
export interface WorkerPoolListener {
  /** A worker is free. */
  readonly onFree: () => void;
  /** No worker will be replaced any more. */
  readonly onGivenUp: (error: StreamgaugeError) => void;
}

/** Workers, by number. */
export interface WorkerCounts {
  /** Workers that have loaded the model and live. */
  readonly ready: number;
  /** Workers that ended by themselves, or could not load, since the runtime was made. */
  readonly lost: number;
  /** Workers that loaded the model in place of a lost one. */
  readonly replaced: number;
}

/**
 * The threads of a runtime, each with a loaded model. piscina starts them, posts
 * a generation to one and replaces one that ends; which of them gets a
 * generation is decided here, because only this knows whose model is loaded. No
 * generation ever waits in piscina.
 */
export class WorkerPool {
  readonly #piscina: Piscina<GenerateTask, GenerateOutcome>;
  readonly #options: WorkerPoolOptions;
  /** What workers load; those that replace others, with the settings that the first ones chose. */
  #spec: EngineSpec;
  readonly #listener: WorkerPoolListener;
  readonly #workers = new Map<number, PoolWorker>();
  readonly #limit = new ReplacementLimit();
  /** Settles when all workers have started, whether or not their models load. */
  readonly #started: Promise<void>;
  /** Ends the wait for {@link #started}. */
  #failStart!: (cause: unknown) => void;
  /** The thread that piscina's next task goes to; undefined for a task that only starts a thread. */
  #target: number | undefined;
  #isReady = false;
  #isClosing = false;
  #givenUp: StreamgaugeError | undefined;
  /** How the last thread that failed before it said hello did so. */
  #startFailure: unknown;
  #lost = 0;
  #replaced = 0;
  operatorProfiles: readonly string[] = [];
  clockOffsetMilliseconds = 0;
  /** Generations that one worker can run together; of all the same, for they load the same model. */
  #maxBatch = 1;

  constructor(options: WorkerPoolOptions, listener: WorkerPoolListener) {
    const { workers, maxHeapMegabytes } = options;
    this.#options = options;
    this.#spec = options.spec;
    this.#listener = listener;
    this.#piscina = new Piscina<GenerateTask, GenerateOutcome>({
      filename: new URL("../worker/entry.js", import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Infinity,
      // No limit: how many a worker takes is known when its model is loaded.
      concurrentTasksPerWorker: Number.MAX_SAFE_INTEGER,
      // A loaded worker is among piscina's ready ones: it reports that it is ready
      // before it reads the host's first message, and two exchanges follow.
      loadBalancer: (_task, candidates) => candidates.find(({ id }) => id === this.#target) ?? null,
      // The default parks idle workers in Atomics.wait, where no control call is served.
      atomics: "disabled",
      workerHistogram: false,
      recordTiming: false,
      ...(maxHeapMegabytes === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes } }),
    });
    this.#started = new Promise((resolve, reject) => {
      this.#failStart = (cause) => reject(startFailed(cause));
      this.#piscina.on("message", (hello: Hello) => {
        this.#greet(hello);
        if (this.#workers.size === workers) resolve();
      });
      // Also emitted later, for a worker lost between two tasks, which says so itself.
      this.#piscina.on("error", (cause: unknown) => {
        this.#startFailure = cause;
        this.#failStart(cause);
      });
    });
    this.#piscina.on("workerDestroy", () => setImmediate(() => this.#startMissing()));
  }

  /** Resolves when every worker has loaded the model. */
  async ready(): Promise<EngineDescription> {
    // piscina's idle workers do not keep the process open; this does until they are loaded.
    holdEventLoop();
    try {
      await this.#started;
      const workers = [...this.#workers.values()];
      // All of them, also after a failure: a worker must not be ended while it loads.
      await Promise.allSettled(workers.map(({ loaded }) => loaded));
      const [description] = await Promise.all(workers.map(({ loaded }) => loaded));
      if (description === undefined) throw startFailed(undefined);
      // One platform, one offset: it is 0 wherever Node's threads share their clock.
      this.clockOffsetMilliseconds = workers[0]?.clockOffsetMilliseconds ?? 0;
      this.#maxBatch = description.maxBatch;
      if (this.#spec.kind === "onnx") {
        const { threads, spinMicroseconds } = description;
        this.#spec = { ...this.#spec, threads, spinMicroseconds };
      }
      this.#isReady = true;
      return description;
    } finally {
      releaseEventLoop();
    }
  }

  get counts(): WorkerCounts {
    const ready = [...this.#workers.values()].filter(({ isLoaded }) => isLoaded).length;
    return { ready, lost: this.#lost, replaced: this.#replaced };
  }

  /** Whether a worker can take a generation now. */
  get hasFree(): boolean {
    return [...this.#workers.values()].some((worker) => this.#hasRoom(worker));
  }

  /** A worker that can take a generation now; of several, see {@link routeByPrefix}. */
  findFree(prompt: GenerationRequest["prompt"]): PoolWorker | undefined {
    const withRoom = [...this.#workers.values()].filter((worker) => this.#hasRoom(worker));
    return routeByPrefix(withRoom, prompt);
  }

  #hasRoom({ isOpen, running }: PoolWorker): boolean {
    return isOpen && running < this.#maxBatch;
  }

  /**
   * Runs a generation.
   *
   * @param worker one that is free
   * @param transfer what of the task moves to the worker instead of being copied
   * @throws StreamgaugeError `WORKER_FAILED` when the worker ends before it
   */
  async run(
    worker: PoolWorker,
    task: GenerateTask,
    transfer: NewRing["transfer"],
  ): Promise<GenerateOutcome> {
    worker.running += 1;
    this.#target = worker.threadId;
    const posted = this.#piscina.run(task, { transferList: [...transfer] });
    this.#target = undefined;
    let outcome: GenerateOutcome;
    try {
      outcome = await posted;
    } catch (cause) {
      worker.isOpen = false;
      throw new StreamgaugeError(
        "WORKER_FAILED",
        "The worker of this generation ended before it did; another takes its place. " +
          "Try again, and see `cause`.",
        { cause },
      );
    }
    // Others have not begun, or nobody knows how far they came.
    const hasRun = outcome.kind === "collected" || outcome.kind === "streamed";
    if (hasRun && this.#keepsCaches) {
      worker.lastPrompts = [...worker.lastPrompts, task.request.prompt].slice(-this.#maxBatch);
    }
    worker.running -= 1;
    this.#limit.worked();
    this.#release(worker);
    return outcome;
  }

  get #keepsCaches(): boolean {
    return this.#spec.kind === "onnx" && this.#spec.prefixReuse;
  }

  memory(): Promise<WorkerMemory[]> {
    const loaded = [...this.#workers.values()].filter(({ isLoaded }) => isLoaded);
    return Promise.all(loaded.map((worker) => worker.memory()));
  }

  startDiagnostic<K extends Diagnostic>(
    kind: K,
    throwIfClosed: () => void,
  ): Promise<RunningWorkerDiagnostic<K>> {
    return startWorkerDiagnostic([...this.#workers.values()], kind, throwIfClosed);
  }

  /** Frees the models and ends the threads. No generation may be running. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const workers = [...this.#workers.values()];
    const closed = await Promise.allSettled(workers.map((worker) => worker.close()));
    await this.#piscina.destroy();
    this.operatorProfiles = closed.flatMap((outcome) =>
      outcome.status === "fulfilled" && outcome.value !== undefined ? [outcome.value] : [],
    );
  }

  #greet(hello: Hello): void {
    const thread = this.#piscina.threads.find(({ threadId }) => threadId === hello.threadId);
    // One that has ended already, or that nobody waits for.
    if (thread === undefined || this.#isClosing || this.#givenUp !== undefined) {
      hello.port.close();
      return;
    }
    const isReplacement = this.#isReady;
    const listener: PoolWorkerListener = {
      onProgress: this.#options.onProgress,
      onLoaded: (worker) => {
        this.#limit.started();
        if (isReplacement) this.#replaced += 1;
        this.#release(worker);
      },
      // While the runtime starts, its maker is told; nothing is tried again.
      onLoadFailed: (worker) => isReplacement && worker.terminate(),
      onGone: (worker, cause) => {
        this.#workers.delete(worker.threadId);
        this.#countLoss(worker.isLoaded, cause);
      },
    };
    this.#workers.set(hello.threadId, new PoolWorker(hello, thread, this.#spec, listener));
  }

  #release(worker: PoolWorker): void {
    if (this.#isClosing || !this.#workers.delete(worker.threadId)) return;
    // Behind the others: the one that is free longest comes first.
    this.#workers.set(worker.threadId, worker);
    this.#listener.onFree();
  }

  #countLoss(hadStarted: boolean, cause: unknown): void {
    if (this.#isClosing || this.#givenUp !== undefined) return;
    this.#lost += 1;
    this.#givenUp = this.#limit.lost(hadStarted, cause);
    if (this.#givenUp !== undefined) this.#listener.onGivenUp(this.#givenUp);
  }

  /**
   * piscina replaces a thread that ends, but none any more once one has ended
   * before it was ready: then a task that no thread may take makes it start one.
   */
  #startMissing(): void {
    const isMissing = (): boolean => this.#piscina.threads.length < this.#options.workers;
    if (this.#isClosing || !isMissing()) return;
    const cause = this.#startFailure ?? new Error("A worker ended while it started.");
    if (!this.#isReady) return this.#failStart(cause);
    this.#countLoss(false, cause);
    while (this.#givenUp === undefined && isMissing()) {
      const abandon = new AbortController();
      this.#piscina.run(undefined as never, { signal: abandon.signal }).catch(() => undefined);
      abandon.abort();
    }
  }
}

function startFailed(cause: unknown): StreamgaugeError {
  if (isStreamgaugeError(cause)) return cause;
  return new StreamgaugeError("WORKER_FAILED", "A worker failed to start.", { cause });
}
