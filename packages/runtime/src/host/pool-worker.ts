import type { Worker } from "node:worker_threads";
import { StreamgaugeError, messageOf, type GenerationRequest } from "@streamgauge/core";
import * as Comlink from "comlink";
import type { Diagnostic } from "../diagnostics/index.js";
import type { EngineDescription, EngineSpec } from "../engine/engine.js";
import type {
  DiagnosticOutcome,
  Hello,
  WorkerControl,
  WorkerMemory,
  WorkerReport,
} from "../protocol.js";
import type { RuntimeLoadProgress } from "./options.js";

/** What a worker tells its pool. */
export interface PoolWorkerListener {
  readonly onProgress: (progress: RuntimeLoadProgress) => void;
  /** The model is loaded: the worker can take a generation. */
  readonly onLoaded: (worker: PoolWorker) => void;
  /** The model does not load; the thread lives, and is of no use. */
  readonly onLoadFailed: (worker: PoolWorker) => void;
  /** The thread has ended; why is what it threw, or why it could not load. */
  readonly onGone: (worker: PoolWorker, cause: unknown) => void;
}

/** The host's handle on one worker of the pool: control, not tasks. */
export class PoolWorker {
  readonly threadId: number;
  /**
   * Settles when the worker has loaded its model: with the description, or with
   * the reason why not.
   */
  readonly loaded: Promise<EngineDescription>;
  /** Whether {@link loaded} has resolved. */
  isLoaded = false;
  /** Whether generations can be given to it: loaded, and neither ended nor closed. */
  isOpen = false;
  /** Generations that it has been given and has not ended. The pool counts. */
  running = 0;
  /**
   * The prompts of the generations that it ran last, whose keys and values its
   * caches begin with. The pool says so, where caches are kept.
   */
  lastPrompts: readonly GenerationRequest["prompt"][] = [];
  /** Added to the worker's clock to get this thread's, once loaded. */
  clockOffsetMilliseconds = 0;
  readonly #thread: Worker;
  readonly #port: Hello["port"];
  // A strong reference: comlink closes the port when its proxy is collected.
  readonly #control: Comlink.Remote<WorkerControl>;
  /** Fails the calls that are out; comlink's would wait for ever when the thread ends. */
  readonly #callsOut = new Set<(reason: StreamgaugeError) => void>();
  #gone: StreamgaugeError | undefined;
  #closing: Promise<string | undefined> | undefined;

  constructor(
    { port, threadId }: Hello,
    thread: Worker,
    spec: EngineSpec,
    listener: PoolWorkerListener,
  ) {
    this.threadId = threadId;
    this.#thread = thread;
    this.#port = port;
    this.#control = Comlink.wrap<WorkerControl>(port);
    let failure: unknown;
    thread.on("error", (error: unknown) => {
      // Its exit follows; no generation may be posted to it until then.
      this.isOpen = false;
      failure = error;
    });
    thread.once("exit", (code) => {
      this.isOpen = false;
      const cause = failure ?? new Error(`It exited with code ${code}.`);
      this.#gone = workerEnded(threadId, cause);
      for (const fail of this.#callsOut) fail(this.#gone);
      port.close();
      listener.onGone(this, cause);
    });
    this.loaded = this.#load(spec, listener.onProgress);
    this.loaded.then(
      () => {
        this.isLoaded = true;
        this.isOpen = true;
        listener.onLoaded(this);
      },
      (error: unknown) => {
        failure ??= error;
        if (this.#gone === undefined) listener.onLoadFailed(this);
      },
    );
  }

  memory(): Promise<WorkerMemory> {
    return this.#call(this.#control.memory());
  }

  async startDiagnostic(kind: Diagnostic): Promise<void> {
    const error = await this.#call(this.#control.startDiagnostic(kind));
    if (error !== undefined) throw StreamgaugeError.fromWire(error);
  }

  async stopDiagnostic<K extends Diagnostic>(kind: K): Promise<WorkerReport<K>> {
    // comlink's types lose the parameter.
    const answer = this.#control.stopDiagnostic(kind) as Promise<DiagnosticOutcome<K>>;
    const { report, error } = await this.#call(answer);
    if (error !== undefined) throw StreamgaugeError.fromWire(error);
    if (report === undefined) throw new TypeError("stopDiagnostic() returned nothing");
    const { threadId, clockOffsetMilliseconds } = this;
    return { threadId, clockOffsetMilliseconds, report };
  }

  /**
   * Frees the model, once it is loaded; the worker takes no more tasks. Returns
   * the file of its operator profile, if one was asked for.
   */
  close(): Promise<string | undefined> {
    this.isOpen = false;
    return (this.#closing ??= this.#close());
  }

  /** Ends the thread of a worker that could not load. */
  terminate(): void {
    void this.#thread.terminate();
  }

  async #close(): Promise<string | undefined> {
    const operatorProfile = await this.#call(this.#control.close());
    this.#port.close();
    return operatorProfile;
  }

  async #load(
    spec: EngineSpec,
    onProgress: (progress: RuntimeLoadProgress) => void,
  ): Promise<EngineDescription> {
    const { threadId } = this;
    const report = Comlink.proxy((progress: Omit<RuntimeLoadProgress, "threadId">) =>
      onProgress({ threadId, ...progress }),
    );
    const { description, error } = await this.#call(this.#control.load(spec, report));
    if (error !== undefined) throw StreamgaugeError.fromWire(error);
    if (description === undefined) throw new TypeError("load() returned nothing");
    this.clockOffsetMilliseconds = await this.#compareClocks();
    return description;
  }

  /**
   * Node's threads share the origin of `performance.now()`; this checks it. The
   * worker's reading must lie between two of ours. Where it does not, the middle
   * of the shortest exchange gives the offset.
   */
  async #compareClocks(): Promise<number> {
    let shortest = Infinity;
    let offset = 0;
    for (let round = 0; round < 5; round++) {
      const before = performance.now();
      const there = await this.#call(this.#control.now());
      const after = performance.now();
      if (before <= there && there <= after) return 0;
      if (after - before < shortest) {
        shortest = after - before;
        offset = (before + after) / 2 - there;
      }
    }
    return offset;
  }

  /** Holds the process open while any call is out, and fails it when the thread ends. */
  #call<T>(answer: Promise<T>): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    this.#port.ref();
    // Not Promise.race() against one promise of the end: that would keep every
    // answer for as long as the worker lives.
    return new Promise<T>((resolve, reject) => {
      this.#callsOut.add(reject);
      answer.then(resolve, reject).finally(() => {
        this.#callsOut.delete(reject);
        if (this.#callsOut.size === 0) this.#port.unref();
      });
    });
  }
}

function workerEnded(threadId: number, cause: unknown): StreamgaugeError {
  const outOfMemory =
    cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
  const remedy = outOfMemory ? " Raise maxHeapMegabytes, or leave it out." : "";
  return new StreamgaugeError(
    "WORKER_FAILED",
    `Worker ${threadId} has ended: ${messageOf(cause)}${remedy}`,
    { cause },
  );
}
