/**
 * What crosses between a gate and a process that measures one version. Types only.
 *
 * @module
 */
import type { WireError } from "@streamgauge/core";
import type { GateMode, GateWork } from "./gate-work.js";

/** What a process is to measure. */
export interface SideOrder {
  /** File URL of the version's own `@streamgauge/runtime`, or of its module of scenarios. */
  readonly entryUrl: string;
  readonly work: GateWork;
  /** By how much `generateStreamAsync` is to be slower, a fraction; 0 outside of self-tests. */
  readonly slowdown: number;
}

/** The gate says. */
export type ToSide =
  | (SideOrder & { readonly type: "open" })
  | { readonly type: "measure"; readonly mode: GateMode }
  | { readonly type: "close" };

/** What a measured run took: the medians over its generations, so that a stalled one is none of it. */
export interface SideRun {
  /** From the call to its settling, of one generation. */
  readonly endToEndNanoseconds: number;
  /** Null where nothing is delivered before the end. */
  readonly firstTokenNanoseconds: number | null;
  /** A hash of the ids that were made, which tells whether two versions make the same tokens. */
  readonly idsHash: string;
}

/** The process answers, one answer to each thing that it is told. */
export type FromSide =
  | { readonly type: "opened" }
  | { readonly type: "measured"; readonly run: SideRun }
  | { readonly type: "closed" }
  | { readonly type: "failed"; readonly error: WireError };
