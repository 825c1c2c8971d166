/**
 * What crosses between the bench and a process that measures for it. Types only.
 *
 * @module
 */
import type { WireError } from "@streamgauge/core";
import type { RunSink } from "../journal.js";
import type { Selection } from "../presets.js";
import type { BenchProgress } from "../progress.js";

/** What to measure. The process finds the stages itself: they hold functions. */
export interface ProcessOrder {
  readonly type: "measure";
  readonly profile: string;
  readonly selection: Selection;
  /** Kinds of profiles to make. */
  readonly profiles: readonly string[];
  /** File URLs of modules with scenarios. */
  readonly modules: readonly string[];
  readonly process: number;
  readonly seed: number;
  /** Ids of the cells and measurements that are done, or were decided. */
  readonly leaveOut: readonly string[];
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
