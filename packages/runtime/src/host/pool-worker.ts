import { StreamgaugeError } from "@streamgauge/core";
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

/** The host's handle on one worker of the pool: control, not tasks. */
export class PoolWorker {
  readonly threadId: number;
  /**
   * Settles when the worker has loaded its model: with the description, or with
   * the reason why not.
   */
  readonly loaded: Promise<EngineDescription>;
  /** Added to the worker's clock to get this thread's, once loaded. */
  clockOffsetMilliseconds = 0;
  readonly #port: Hello["port"];
  // A strong reference: comlink closes the port when its proxy is collected.
  readonly #control: Comlink.Remote<WorkerControl>;
  /** Rejects when the thread has ended: comlink calls would wait for ever. */
  readonly #gone: Promise<never>;
  #callsOut = 0;

  constructor(
    { port, threadId }: Hello,
    spec: EngineSpec,
    onProgress: (progress: RuntimeLoadProgress) => void,
    onGone: () => void,
  ) {
    this.threadId = threadId;
    this.#port = port;
    this.#control = Comlink.wrap<WorkerControl>(port);
    this.#gone = new Promise((_, reject) => {
      // Closes with the thread at its other end. piscina's own event comes when
      // the thread's id is lost already.
      port.once("close", () => {
        reject(new StreamgaugeError("WORKER_FAILED", `Worker ${threadId} has ended.`));
        onGone();
      });
    });
    this.#gone.catch(() => undefined);
    this.loaded = this.#load(spec, onProgress);
    this.loaded.catch(() => undefined);
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
   * Frees the model; the worker takes no more tasks. Returns the file of its
   * operator profile, if one was asked for.
   */
  async close(): Promise<string | undefined> {
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
  async #call<T>(answer: Promise<T>): Promise<T> {
    this.#callsOut += 1;
    this.#port.ref();
    try {
      return await Promise.race([answer, this.#gone]);
    } finally {
      this.#callsOut -= 1;
      if (this.#callsOut === 0) this.#port.unref();
    }
  }
}
