/**
 * What crosses between the bench and a process that measures for it. Types only.
 *
 * @module
 */
import type { WireError } from "@streamgauge/core";
import type { RunSink } from "../journal.js";
import type { StagesOrder } from "../plan-stages.js";
import type { BenchProgress } from "../progress.js";

/** What to measure. The process finds the stages itself, because they hold functions. */
export interface ProcessOrder extends StagesOrder {
  readonly type: "measure";
  /** The name of one: a preset's own scenarios cannot cross. */
  readonly preset: string;
  readonly seed: number;
}

/** The bench says. */
export type ToProcess =
  | ProcessOrder
  /** End after the current generation. */
  | { readonly type: "abort" }
  | { readonly type: "answer"; readonly call: number; readonly value: unknown };

/** The process says. */
export type FromProcess =
  | { readonly type: "progress"; readonly progress: BenchProgress }
  /** One of the sink's methods; the process waits for the answer. */
  | {
      readonly type: "call";
      readonly call: number;
      readonly method: keyof RunSink;
      readonly args: readonly unknown[];
    }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: WireError };
