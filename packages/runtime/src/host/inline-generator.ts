import {
  CollectingSink,
  StreamgaugeError,
  createGenerator,
  createTokenQueue,
  type GenerationBackend,
  type Generator,
  type StopReason,
} from "@streamgauge/core";
import { openEngine, type EngineDescription } from "../engine/engine.js";
import { resolveEngineOptions, type EngineOptions } from "./options.js";

/** The engine in the thread that made it: each step blocks that thread. */
export interface InlineGenerator extends Generator, AsyncDisposable {
  describe(): EngineDescription;
  /** The file that the option `operatorProfile` had written. Empty until `close()` has ended. */
  operatorProfiles(): readonly string[];
  /** Stops what runs, waits for its step to end, and frees the model. */
  close(): Promise<void>;
}

/** Tokens made ahead of a slow consumer; the runtime's ring has as many by default. */
const queueCapacity = 256;

/**
 * Runs the same engine as {@link createRuntime}, in the calling thread: the
 * reference for what another thread costs and saves. Overlapping calls run one
 * after the other.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`
 */
export async function createInlineGenerator(options: EngineOptions = {}): Promise<InlineGenerator> {
  const engine = await openEngine(resolveEngineOptions(options), () => undefined);
  const running = new Set<(reason: StopReason) => void>();
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let operatorProfiles: readonly string[] = [];

  /** Runs when those before have ended; stopped by `close()` until then and while it runs. */
  function enqueue<T>(run: () => Promise<T>, stop: (reason: StopReason) => void): Promise<T> {
    if (closed) return Promise.reject(closedError());
    running.add(stop);
    const result = last.then(run).finally(() => running.delete(stop));
    last = result.catch(() => undefined);
    return result;
  }

  const backend: GenerationBackend = {
    collect(request) {
      let stopReason: StopReason | undefined;
      const calledAt = performance.now();
      const sink = new CollectingSink(request.config.logprobs, () => stopReason);
      const stop = (reason: StopReason): void => {
        stopReason ??= reason;
      };
      const run = () => sink.collect(engine.generate(request, sink, calledAt));
      return { stop, finished: enqueue(run, stop) };
    },
    stream(request) {
      const calledAt = performance.now();
      const { source } = createTokenQueue(
        (sink) =>
          enqueue(
            () => engine.generate(request, sink, calledAt),
            (reason) => source.stop(reason),
          ),
        queueCapacity,
      );
      return source;
    },
  };

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    for (const stop of running) stop("closed");
    await last;
    await engine.close();
    if (engine.operatorProfile !== undefined) operatorProfiles = [engine.operatorProfile];
  }

  return {
    ...createGenerator(backend),
    describe: () => engine.description,
    operatorProfiles: () => operatorProfiles,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function closedError(): StreamgaugeError {
  return new StreamgaugeError("CLOSED", "This generator is closed: create another.");
}
