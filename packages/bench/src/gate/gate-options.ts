import type { Clock } from "../plan/clock.js";
import type { GateSide, GateSize, GateWork } from "./gate-work.js";
import type { OpenSide } from "./side-process.js";

/** What a gate compares, how, and who is told. */
export interface GateOptions {
  /** File URLs of the versions' runtimes, or of their modules of scenarios. */
  readonly entryUrls: Readonly<Record<GateSide, string>>;
  readonly work: GateWork;
  readonly size: GateSize;
  /** A fraction: what head may not be slower by. */
  readonly threshold: number;
  /** Draws the orders. */
  readonly seed: number;
  /** By how much head's `generateStreamAsync` is made slower, a fraction; for self-tests. */
  readonly slowdown?: number;
  /** Fewer blocks where it would take longer; at least two of each pair are measured. */
  readonly timeBudgetSeconds?: number | undefined;
  readonly clock: Clock;
  readonly openSide: OpenSide;
  readonly signal?: AbortSignal | undefined;
  /** Called after each pair of processes has begun, and after each block. */
  readonly onProgress?: (progress: GateProgress) => void;
}

/** Where a gate is. */
export interface GateProgress {
  readonly subject: string;
  readonly fractionDone: number;
}
