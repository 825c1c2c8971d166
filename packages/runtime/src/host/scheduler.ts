import {
  StreamgaugeError,
  Transcript,
  isStreamgaugeError,
  neverBegan,
  type Collection,
  type GenerationBackend,
  type GenerationRequest,
  type GenerationSummary,
  type StopReason,
  type TokenSource,
} from "@streamgauge/core";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";
import type { GenerateOutcome, GenerateTask } from "../protocol.js";
import {
  createRing,
  createStateOnlyRing,
  type NewRing,
  type RingConsumer,
  type RingOptions,
} from "../ring/index.js";
import type { StepGate } from "../diagnostics/step-gate.js";
import { DeliveryCount, type Delivery } from "./delivery-count.js";
import type { GenerationObserver } from "./generation-observer.js";
import { reportOn, tellObservers, type GenerationEnd } from "./generation-report.js";
import { RequestQueue } from "./request-queue.js";
import type { PoolWorker } from "./pool-worker.js";
import type { WorkerPool } from "./worker-pool.js";

export interface SchedulerOptions {
  readonly ring: Required<RingOptions>;
  readonly maxQueue: number;
  readonly observers: readonly GenerationObserver[];
  readonly stepGate: (clientId: string | undefined) => StepGate | undefined;
  /** What observers are told of the model. */
  readonly model: string;
}

/** Outcome of a generation that did not fail. */
type Outcome = Exclude<GenerateOutcome, { kind: "failed" }>;

/** A call that waits or runs. */
interface Call {
  readonly mode: GenerateTask["mode"];
  readonly request: GenerationRequest;
  readonly ring: NewRing;
  /** How often its consumer was woken so far; undefined where there is none. */
  readonly wakeUps: () => number | undefined;
  readonly calledAtMilliseconds: number;
  /** Settles when it has ended; rejects with a typed error when it failed. */
  readonly finished: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  readonly stop: (reason: StopReason) => void;
}

/**
 * Gives calls to workers. A call goes to a worker with room at once; while there is
 * none, it waits here, where stopping it takes it out at once.
 */
export class Scheduler implements GenerationBackend {
  readonly #pool: WorkerPool;
  readonly #options: SchedulerOptions;
  readonly #waiting: RequestQueue<Call>;
  /** Calls that wait or run. */
  readonly #calls = new Set<Call>();
  readonly #delivery = new DeliveryCount();
  /** Why no more calls are taken. */
  #refusal: StreamgaugeError | undefined;
  /** Held while calls wait: a worker that is being replaced does not hold the process open. */
  #holdsProcess = false;

  constructor(pool: WorkerPool, options: SchedulerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#waiting = new RequestQueue(options.maxQueue);
  }

  get queued(): number {
    return this.#waiting.length;
  }

  get active(): number {
    return this.#calls.size - this.#waiting.length;
  }

  get delivery(): Delivery {
    return this.#delivery.snapshot();
  }

  collect(request: GenerationRequest): Collection {
    const ring = createStateOnlyRing();
    const { finished, stop } = this.#submit("collect", request, ring, () => undefined);
    return {
      stop,
      finished: finished.then((outcome) =>
        outcome.kind === "collected"
          ? outcome.result
          : new Transcript(request.config.logprobs).result(summaryOf(outcome, ring.consumer)),
      ),
    };
  }

  stream(request: GenerationRequest): TokenSource {
    const delivery = this.#delivery;
    let wakeUps = 0;
    const { clockOffsetMilliseconds } = this.#pool;
    const ring = createRing(this.#options.ring, clockOffsetMilliseconds, undefined, (wakeUp) => {
      wakeUps += 1;
      delivery.addWakeUp(wakeUp);
    });
    const { consumer } = ring;
    const { finished, stop } = this.#submit("stream", request, ring, () => wakeUps);
    const summary = finished.then((outcome) => summaryOf(outcome, consumer));
    // Whoever consumes the source sees the rejection, but perhaps not at once.
    summary.catch(() => undefined);
    return {
      poll: () => {
        const token = consumer.poll();
        if (token !== undefined) delivery.addToken();
        return token;
      },
      wait: () => consumer.wait(),
      stop,
      get stopReason() {
        return consumer.stopReason;
      },
      finished: summary,
    };
  }

  /** Gives waiting calls to workers, as long as there is one of each. To be called when one is free. */
  dispatch(): void {
    while (this.#pool.hasFree) {
      const call = this.#waiting.take();
      if (call === undefined) break;
      this.#admit(call);
    }
    this.#holdProcess();
  }

  /** Takes no more calls, and fails those that wait; what runs goes on. */
  refuse(error: StreamgaugeError): void {
    this.#refusal ??= error;
    for (let call = this.#waiting.take(); call !== undefined; call = this.#waiting.take()) {
      call.reject(error);
    }
    this.#holdProcess();
  }

  /** Takes no more calls. Resolves when those that there are have ended; whoever made them stops them. */
  async close(refusal: StreamgaugeError): Promise<void> {
    this.#refusal ??= refusal;
    await Promise.allSettled([...this.#calls].map(({ finished }) => finished));
  }

  /**
   * For an exit of the process: stops all, and blocks this thread until no worker
   * is in the middle of a step, or the time is over.
   */
  blockUntilStopped(timeoutMilliseconds: number): void {
    for (const { stop } of this.#calls) stop("closed");
    for (const { ring } of this.#calls) ring.consumer.blockUntilEnded(timeoutMilliseconds);
  }

  #submit(
    mode: GenerateTask["mode"],
    request: GenerationRequest,
    ring: NewRing,
    wakeUps: Call["wakeUps"],
  ): Call {
    const { clientId } = request.config;
    const { consumer } = ring;
    let resolve!: Call["resolve"];
    let reject!: Call["reject"];
    const ended = new Promise<Outcome>((...settle) => {
      [resolve, reject] = settle;
    });
    const call: Call = {
      mode,
      request,
      ring,
      wakeUps,
      calledAtMilliseconds: performance.now(),
      resolve,
      reject,
      finished: ended.then(
        (outcome) => {
          this.#end(call, { summary: summaryOf(outcome, consumer), errorCode: undefined });
          return outcome;
        },
        (error: unknown) => {
          const errorCode = isStreamgaugeError(error) ? error.code : "ENGINE_FAILED";
          this.#end(call, { summary: undefined, errorCode });
          throw error;
        },
      ),
      stop: (reason) => {
        consumer.stop(reason);
        const waited = this.#waiting.remove(clientId, call);
        // What a worker has been given and has not yet begun can be taken back too.
        if (waited || consumer.withdraw()) resolve({ kind: "withdrawn" });
        if (waited) this.#holdProcess();
      },
    };
    call.finished.catch(() => undefined);
    this.#calls.add(call);
    try {
      if (this.#refusal !== undefined) throw this.#refusal;
      this.#admit(call);
    } catch (error) {
      reject(error);
    }
    return call;
  }

  #admit(call: Call): void {
    const worker = this.#pool.findFree(call.request.prompt);
    if (worker !== undefined) return this.#give(call, worker);
    this.#waiting.add(call.request.config.clientId, call);
    this.#holdProcess();
  }

  #give(call: Call, worker: PoolWorker): void {
    const { mode, request, ring, resolve, reject } = call;
    const calledAtMilliseconds = call.calledAtMilliseconds - this.#pool.clockOffsetMilliseconds;
    const stepGate = this.#options.stepGate(request.config.clientId)?.memory;
    const task = { mode, request, ring: ring.memory, stepGate, calledAtMilliseconds };
    this.#pool.run(worker, task, ring.transfer).then((outcome) => {
      if (outcome.kind === "failed") reject(StreamgaugeError.fromWire(outcome.error));
      else resolve(outcome);
    }, reject);
  }

  #end(call: Call, end: GenerationEnd): void {
    this.#calls.delete(call);
    const { mode, request, ring, calledAtMilliseconds } = call;
    // A worker that died could not say so itself.
    ring.consumer.declareLost();
    const { model, observers } = this.#options;
    const { clientId } = request.config;
    const endToEndMilliseconds = performance.now() - calledAtMilliseconds;
    const wakeUps = call.wakeUps();
    tellObservers(
      observers,
      reportOn({ model, clientId, mode, wakeUps, endToEndMilliseconds }, end),
    );
  }

  #holdProcess(): void {
    const holds = this.#waiting.length > 0;
    if (holds === this.#holdsProcess) return;
    this.#holdsProcess = holds;
    if (holds) holdEventLoop();
    else releaseEventLoop();
  }
}

function summaryOf(outcome: Outcome, { stopReason }: RingConsumer): GenerationSummary {
  switch (outcome.kind) {
    case "collected": {
      const { finishReason, usage, timings } = outcome.result;
      const { completionTokens, ...counts } = usage;
      return { finishReason, ...counts, producedTokens: completionTokens, timings };
    }
    case "streamed":
      // The consumer's reason wins over the producer's, which depends on how far ahead it was.
      return { ...outcome.summary, finishReason: stopReason ?? outcome.summary.finishReason };
    case "withdrawn":
      return neverBegan(stopReason ?? "cancelled");
    default:
      return outcome satisfies never;
  }
}
