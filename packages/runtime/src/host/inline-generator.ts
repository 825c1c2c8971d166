import {
  CollectingSink,
  StreamgaugeError,
  Transcript,
  createGenerator,
  createTokenQueue,
  failedSource,
  type GenerationBackend,
  type GenerationSummary,
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

  /**
   * Runs when those before have ended. One that is stopped before its turn is
   * over at once: those before may wait for the same consumer.
   */
  function enqueue<T>(
    run: () => Promise<T>,
    stopRunning: (reason: StopReason) => void,
    neverBegun: (summary: GenerationSummary) => T,
  ): Running<T> {
    let state: "queued" | "begun" | "withdrawn" = "queued";
    let withdraw!: (result: T) => void;
    const withdrawn = new Promise<T>((resolve) => {
      withdraw = resolve;
    });
    const turn = last.then(() => {
      if (state === "withdrawn") return withdrawn;
      state = "begun";
      return run();
    });
    const stop = (reason: StopReason): void => {
      stopRunning(reason);
      if (state !== "queued") return;
      state = "withdrawn";
      withdraw(neverBegun(emptySummary(reason)));
    };
    last = turn.catch(() => undefined);
    running.add(stop);
    return { stop, finished: Promise.race([turn, withdrawn]).finally(() => running.delete(stop)) };
  }

  const backend: GenerationBackend = {
    collect(request) {
      if (closed) return { stop: () => undefined, finished: Promise.reject(closedError()) };
      const { logprobs } = request.config;
      let stopReason: StopReason | undefined;
      const calledAt = performance.now();
      const sink = new CollectingSink(logprobs, () => stopReason);
      return enqueue(
        () => sink.collect(engine.generate(request, sink, calledAt)),
        (reason) => {
          stopReason ??= reason;
        },
        (summary) => new Transcript(logprobs).result(summary),
      );
    },
    stream(request) {
      if (closed) return failedSource(closedError());
      const calledAt = performance.now();
      let stop!: (reason: StopReason) => void;
      const { source } = createTokenQueue((sink) => {
        const queued = enqueue(
          () => engine.generate(request, sink, calledAt),
          (reason) => source.stop(reason),
          (summary) => summary,
        );
        ({ stop } = queued);
        return queued.finished;
      }, queueCapacity);
      return {
        poll: () => source.poll(),
        wait: () => source.wait(),
        stop,
        get stopReason() {
          return source.stopReason;
        },
        finished: source.finished,
      };
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

interface Running<T> {
  readonly finished: Promise<T>;
  readonly stop: (reason: StopReason) => void;
}

/** Of a generation that never began: it has no tokens, and its prompt was not counted. */
function emptySummary(finishReason: StopReason): GenerationSummary {
  return {
    finishReason,
    promptTokens: 0,
    producedTokens: 0,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
}

function closedError(): StreamgaugeError {
  return new StreamgaugeError("CLOSED", "This generator is closed: create another.");
}
