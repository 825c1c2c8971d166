/**
 * What crosses between the host thread and its workers. Types only.
 *
 * - Tokens and the end of a stream cross a ring in shared memory.
 * - Control (load, describe, memory, diagnostics, close) crosses a comlink port.
 * - A generation is a piscina task; its outcome is what the task returns.
 *
 * @module
 */
import type {
  GenerationRequest,
  GenerationResult,
  GenerationSummary,
  WireError,
} from "@streamgauge/core";
import type { MessagePort } from "node:worker_threads";
import type { Diagnostic, ThreadReports } from "./diagnostics/index.js";
import type { EngineDescription, EngineSpec } from "./engine/engine.js";
import type { LoadProgress } from "./engine/load-progress.js";
import type { RingMemory } from "./ring/index.js";

/** Sent once by each worker when it starts. */
export interface Hello {
  readonly streamgauge: "hello";
  readonly threadId: number;
  /** A comlink endpoint that exposes {@link WorkerControl}. */
  readonly port: MessagePort;
}

/** A worker's control surface. Served between steps: a running step blocks it. */
export interface WorkerControl {
  /** Loads the model; once, before any task. Failures come back as data, because comlink drops codes. */
  load(spec: EngineSpec, onProgress: (progress: LoadProgress) => void): Promise<LoadOutcome>;
  /** The worker's `performance.now()`, to compare clocks. */
  now(): number;
  memory(): WorkerMemory;
  /** Starts a diagnostic of the worker's thread. Returns the failure, if any, for the same reason. */
  startDiagnostic(kind: Diagnostic): Promise<WireError | undefined>;
  /** Ends one that was started, and returns its report. */
  stopDiagnostic<K extends Diagnostic>(kind: K): Promise<DiagnosticOutcome<K>>;
  /**
   * Frees the model. No task may be running. Returns the file of onnxruntime's
   * operator profile, if one was asked for: it is written now.
   */
  close(): Promise<string | undefined>;
}

/** One of the two is set. */
export interface LoadOutcome {
  readonly description: EngineDescription | undefined;
  readonly error: WireError | undefined;
}

/** One of the two is set. */
export interface DiagnosticOutcome<K extends Diagnostic> {
  readonly report: ThreadReports[K] | undefined;
  readonly error: WireError | undefined;
}

/** What a diagnostic saw on the thread of one worker. */
export interface WorkerReport<K extends Diagnostic> {
  readonly threadId: number;
  /** Added to the time stamps of the report to get the caller's `performance.now()` clock. */
  readonly clockOffsetMilliseconds: number;
  readonly report: ThreadReports[K];
}

/** Memory of one worker's JavaScript heap, in bytes; the model's weights are outside of it. */
export interface WorkerMemory {
  readonly threadId: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
}

export interface GenerateTask {
  readonly request: GenerationRequest;
  /** "collect": the outcome holds the completion. "stream": the tokens cross the ring. */
  readonly mode: "collect" | "stream";
  readonly ring: RingMemory;
  /** Of the `StepGate` that holds it between tokens; undefined: nothing does. */
  readonly stepGate: SharedArrayBuffer | undefined;
  /** When the user called, on the worker's clock. */
  readonly calledAtMilliseconds: number;
}

export type GenerateOutcome =
  | { readonly kind: "collected"; readonly result: GenerationResult }
  | { readonly kind: "streamed"; readonly summary: GenerationSummary }
  /** The consumer took the generation back before this worker claimed it. */
  | { readonly kind: "withdrawn" }
  | { readonly kind: "failed"; readonly error: WireError };
