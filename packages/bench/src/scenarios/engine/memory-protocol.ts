/**
 * What crosses between the bench and a process whose memory is measured. Types only.
 *
 * @module
 */
import type { EngineDtype } from "./engine-model.js";

/** One generation from a whole prompt, in a process of its own. */
export interface PeakTask {
  readonly kind: "peak";
  readonly engine: "streamgauge" | "transformers.js" | "llama.cpp";
  /** The model's folder; its file for llama.cpp. */
  readonly path: string;
  readonly dtype: EngineDtype;
  readonly threads: number;
  readonly spinning: boolean;
  readonly prompt: readonly number[];
  readonly tokens: number;
}

/** A runtime that only loads. */
export interface LoadTask {
  readonly kind: "load";
  readonly folder: string;
  readonly dtype: EngineDtype;
  readonly threads: number;
  readonly workers: number;
}

export interface PeakAnswer {
  readonly kind: "peak";
  readonly peakResidentBytes: number;
  readonly ids: readonly number[];
}

export interface LoadAnswer {
  readonly kind: "load";
  /** How long each stage took, of the worker that was ready last. */
  readonly stages: readonly { readonly stage: string; readonly milliseconds: number }[];
  readonly loadMilliseconds: number;
  /** What the process has grown by, from before the runtime was made until it was ready. */
  readonly addedResidentBytes: number;
}

export type MemoryTask = PeakTask | LoadTask;

export type MemoryMessage =
  | { readonly type: "progress"; readonly step: string }
  | { readonly type: "answer"; readonly answer: PeakAnswer | LoadAnswer }
  | { readonly type: "failed"; readonly message: string };
