/**
 * What runs in each worker of the pool. piscina calls the default export for
 * each generation, several at once where the engine steps them together; the host steers through a comlink port that
 * this module offers when it is loaded.
 *
 * There is no top-level await here: piscina tries `require()` first.
 *
 * @module
 */
import { MessageChannel, parentPort, threadId } from "node:worker_threads";
import { CollectingSink, StreamgaugeError, type TokenSink } from "@streamgauge/core";
import * as Comlink from "comlink";
import type { Diagnostic, RunningDiagnostic } from "../diagnostics/index.js";
import { holdAt } from "../diagnostics/step-gate.js";
import { openEngine, type Engine } from "../engine/engine.js";
import type {
  DiagnosticOutcome,
  GenerateOutcome,
  GenerateTask,
  Hello,
  WorkerControl,
} from "../protocol.js";
import { RingProducer } from "../ring/index.js";

/** A task can arrive before the host's load call when a lost worker is replaced. */
let loaded!: (engine: Promise<Engine>) => void;
const engine = new Promise<Engine>((resolve) => {
  loaded = resolve;
});
// Reported by load(); a task that comes later sees it again.
engine.catch(() => undefined);

const diagnostics = new Map<Diagnostic, RunningDiagnostic<Diagnostic>>();

const control: WorkerControl = {
  async load(spec, onProgress) {
    loaded(openEngine(spec, onProgress));
    try {
      return { description: (await engine).description, error: undefined };
    } catch (error) {
      return { description: undefined, error: StreamgaugeError.toWire(error, "ENGINE_FAILED") };
    } finally {
      // Closes the host's end, which would otherwise keep its process open until
      // this proxy is garbage.
      (onProgress as Comlink.Remote<typeof onProgress>)[Comlink.releaseProxy]();
    }
  },
  now: () => performance.now(),
  memory() {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      threadId,
      heapUsedBytes: heapUsed,
      externalBytes: external,
      arrayBuffersBytes: arrayBuffers,
    };
  },
  async startDiagnostic(kind) {
    try {
      // Loaded when asked for: a worker that nobody looks into stays as it is.
      const { startDiagnostic } = await import("../diagnostics/index.js");
      diagnostics.set(kind, await startDiagnostic(kind));
      return undefined;
    } catch (error) {
      return StreamgaugeError.toWire(error, "WORKER_FAILED");
    }
  },
  async stopDiagnostic<K extends Diagnostic>(kind: K): Promise<DiagnosticOutcome<K>> {
    try {
      const running = diagnostics.get(kind) as RunningDiagnostic<K> | undefined;
      diagnostics.delete(kind);
      return { report: await running?.stop(), error: undefined };
    } catch (error) {
      return { report: undefined, error: StreamgaugeError.toWire(error, "WORKER_FAILED") };
    }
  },
  async close() {
    const loadedEngine = await engine;
    await loadedEngine.close();
    return loadedEngine.operatorProfile;
  },
};

const { port1, port2 } = new MessageChannel();
Comlink.expose(control, port1);
const hello: Hello = { streamgauge: "hello", threadId, port: port2 };
parentPort?.postMessage(hello, [port2]);

/** Runs one generation. Never throws: what fails is part of the outcome. */
export default async function generate(task: GenerateTask): Promise<GenerateOutcome> {
  const ring = new RingProducer(task.ring);
  if (!ring.begin()) return { kind: "withdrawn" };
  try {
    const outcome = task.mode === "stream" ? await stream(task, ring) : await collect(task, ring);
    ring.end();
    return outcome;
  } catch (error) {
    ring.end("failed");
    return { kind: "failed", error: StreamgaugeError.toWire(error, "ENGINE_FAILED") };
  }
}

async function stream(task: GenerateTask, ring: RingProducer): Promise<GenerateOutcome> {
  const { request, calledAtMilliseconds } = task;
  const sink = gated(ring, task);
  const summary = await (await engine).generate(request, sink, calledAtMilliseconds);
  return { kind: "streamed", summary };
}

async function collect(task: GenerateTask, ring: RingProducer): Promise<GenerateOutcome> {
  const { request, calledAtMilliseconds } = task;
  const loadedEngine = await engine;
  const sink = new CollectingSink(request.config.logprobs, () => ring.stopReason);
  const made = loadedEngine.generate(request, gated(sink, task), calledAtMilliseconds);
  const result = await sink.collect(made);
  return { kind: "collected", result };
}

/** Where nothing holds the generation, the sink itself. */
function gated(sink: TokenSink, { stepGate }: GenerateTask): TokenSink {
  return stepGate === undefined ? sink : holdAt(stepGate, sink);
}
