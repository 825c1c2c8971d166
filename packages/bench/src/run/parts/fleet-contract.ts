/**
 * What `@streamgauge/fleet` gives the commands of this package. It depends on this package, and not the
 * other way round, so that nobody who measures one machine installs it: what crosses stands here.
 *
 * @module
 */
import type { BenchOptions, BenchOutcome } from "../bench-options.js";

/** Which agents measure, and what becomes of a run whose machines are lost. */
export interface FleetTarget {
  /** Address of the Redis server; with its password, so that it is never shown. */
  readonly redis: string;
  /** What every key begins with. */
  readonly prefix?: string | undefined;
  /** Agents to wait for before the run begins. Default 1. */
  readonly agents?: number | undefined;
  /**
   * What is done for a class of machines whose last agent is gone: wait for another, or end its part of
   * the run and go on with the other classes. Default: wait.
   */
  readonly ifLost?: "wait" | "go-on" | undefined;
}

/** Where a run on many machines is. */
export interface FleetProgress {
  readonly subject: string;
  /** 0 to 1, of all parts of all classes until the next look. */
  readonly fractionDone: number;
}

/** What one class of machines measured. */
export interface ClassOutcome extends BenchOutcome {
  /** Its owner's word for it. */
  readonly label: string;
  /** Tells it from every other class: "c7g-large-1a2b3c4d". */
  readonly machineClass: string;
  /** What is missing, and why, in a sentence each: machines that were lost above all. */
  readonly missing: readonly string[];
}

/** What a run on many machines came to: a record for each class of them. */
export interface FleetOutcome {
  /** Sorted by class. */
  readonly classes: readonly ClassOutcome[];
  /** What is missing of whole classes, in a sentence each. */
  readonly missing: readonly string[];
  /** The folder with a folder for each class. */
  readonly folder: string;
}

/** Runs the bench on the agents of a fleet. */
export type BenchOnFleet = (
  options: Omit<BenchOptions, "onProgress" | "elsewhere">,
  fleet: FleetTarget & { readonly onProgress?: (progress: FleetProgress) => void },
) => Promise<FleetOutcome>;
