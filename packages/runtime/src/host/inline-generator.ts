import {
  CollectingSink,
  StreamgaugeError,
  Transcript,
  createGenerator,
  createTokenQueue,
  neverBegan,
  type GenerationBackend,
  type Generator,
  type ResolvedConfig,
  type StopReason,
} from "@streamgauge/core";
import { openEngine, type EngineDescription } from "../engine/engine.js";
import { RequestQueue } from "./request-queue.js";
import { resolveEngineOptions, type EngineOptions } from "./options.js";

/** The engine in the thread that made it: each step blocks that thread. */
export interface InlineGenerator extends Generator, AsyncDisposable {
  describe(): EngineDescription;
  /** The file that the option `operatorProfile` had written. Empty until `close()` has ended. */
  operatorProfiles(): readonly string[];
  /** Stops what runs, waits for its step to end, and frees the model. */
  close(): Promise<void>;
}

/** A call that waits or runs. */
interface InlineCall<T> {
  readonly stop: (reason: StopReason) => void;
  readonly finished: Promise<T>;
}

/** Tokens made ahead of a slow consumer; the runtime's ring has as many by default. */
const queueCapacity = 256;

/**
 * Runs the same engine as {@link createRuntime}, in the calling thread: the
 * reference for what another thread costs and saves. Overlapping calls share
 * steps, `maxBatch` of them; the others wait, clients take turns, and `maxQueue`
 * limits how many do.
 *
 * In a worker thread of your own: a thread that is ended from outside in the middle of a step, by
 * `worker.terminate()` or by the main thread's `process.exit()`, aborts the whole process, because
 * onnxruntime-node does. Let the thread `close()` its generator first, and wait for that.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`
 */
export async function createInlineGenerator(options: EngineOptions = {}): Promise<InlineGenerator> {
  const { spec, maxQueue } = resolveEngineOptions(options);
  const engine = await openEngine(spec, () => undefined);
  const waiting = new RequestQueue<() => void>(maxQueue);
  /** Generations that wait or run. */
  const calls = new Set<InlineCall<unknown>>();
  /** How many run. */
  let running = 0;
  let closed = false;
  let operatorProfiles: readonly string[] = [];

  function beginNext(): void {
    running -= 1;
    const begin = waiting.take();
    if (begin === undefined) return;
    running += 1;
    begin();
  }

  /**
   * Runs when it is its turn, at once when few enough others do.
   *
   * @param stopRunning what stops it when it has begun
   * @param unbegun its result when it is stopped before
   */
  function enqueue<T>(
    { clientId }: ResolvedConfig,
    run: () => Promise<T>,
    stopRunning: (reason: StopReason) => void,
    unbegun: (reason: StopReason) => T,
  ): InlineCall<T> {
    let resolve!: (result: T | Promise<T>) => void;
    const ended = new Promise<T>((settle) => {
      resolve = settle;
    });
    // Whoever learns of the end finds the engine free, or with the next call.
    const begin = (): void => resolve(Promise.resolve().then(run).finally(beginNext));
    const call: InlineCall<T> = {
      stop: (reason) => {
        stopRunning(reason);
        if (waiting.remove(clientId, begin)) resolve(unbegun(reason));
      },
      finished: ended.finally(() => calls.delete(call)),
    };
    calls.add(call);
    try {
      if (closed) throw closedError();
      if (running >= engine.description.maxBatch) waiting.add(clientId, begin);
      else {
        running += 1;
        begin();
      }
    } catch (error) {
      resolve(Promise.reject<T>(error));
    }
    return call;
  }

  const backend: GenerationBackend = {
    collect(request) {
      let stopReason: StopReason | undefined;
      const calledAt = performance.now();
      const { logprobs } = request.config;
      const sink = new CollectingSink(logprobs, () => stopReason);
      return enqueue(
        request.config,
        () => sink.collect(engine.generate(request, sink, calledAt)),
        (reason) => {
          stopReason ??= reason;
        },
        (reason) => new Transcript(logprobs).result(neverBegan(reason)),
      );
    },
    stream(request) {
      const calledAt = performance.now();
      let stop!: (reason: StopReason) => void;
      const { source } = createTokenQueue((sink) => {
        const call = enqueue(
          request.config,
          () => engine.generate(request, sink, calledAt),
          (reason) => source.stop(reason),
          neverBegan,
        );
        stop = call.stop;
        return call.finished;
      }, queueCapacity);
      return {
        poll: () => source.poll(),
        wait: () => source.wait(),
        stop: (reason) => stop(reason),
        get stopReason() {
          return source.stopReason;
        },
        finished: source.finished,
      };
    },
  };

  const { stopAll, ...generator } = createGenerator(backend);

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    stopAll("closed");
    await Promise.allSettled([...calls].map(({ finished }) => finished));
    await engine.close();
    if (engine.operatorProfile !== undefined) operatorProfiles = [engine.operatorProfile];
  }

  return {
    ...generator,
    describe: () => engine.description,
    operatorProfiles: () => operatorProfiles,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function closedError(): StreamgaugeError {
  return new StreamgaugeError("CLOSED", "This generator is closed: create another.");
}
