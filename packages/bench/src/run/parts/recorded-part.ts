/**
 * All that a process said while it measured, as one thing that crosses to another machine: a document
 * of JSON, and files. Whoever takes it checks it first: see `replay-part.ts`.
 *
 * @module
 */
import type { CellPart } from "../../measure/experiment.js";
import type { CellIdentity, Environment, GeneratorDescription } from "../../record/index.js";
import type { Measurements } from "../../plan/stage.js";

/** Which process of which run. */
export interface PartIdentity {
  readonly runId: string;
  /** Which of the run's processes, from 0. */
  readonly process: number;
}

/** One thing that a process said, with names of files where it had bytes. */
export type PartEntry =
  | { readonly kind: "generator"; readonly generator: GeneratorDescription }
  | {
      readonly kind: "cell";
      /** With the blocks that were planned. */
      readonly plan: CellIdentity & { readonly blocks: number };
      readonly part: CellPart;
      /** Of raw samples, as `raw-samples.ts` writes them; null without a block. */
      readonly file: string | null;
    }
  | { readonly kind: "measurement"; readonly id: string; readonly measurements: Measurements }
  /** A file beside the record, with the name that the measurement gave it. */
  | { readonly kind: "file"; readonly name: string; readonly file: string };

/** What a process said, in the order in which it said it. */
export interface PartDocument extends PartIdentity {
  readonly format: "streamgauge/part";
  readonly version: 1;
  readonly entries: readonly PartEntry[];
  readonly peakResidentBytes: number;
}

/** A machine that measures for a run. */
export interface PartMachine {
  /** The same for every process that it measures. */
  readonly name: string;
  /** What its owner calls its kind. */
  readonly label: string;
  /** As it was while it measured. */
  readonly environment: Environment;
}

/** A document, its files by name, and the machine that made them. */
export interface RecordedPart {
  /** JSON, as a parser gave it: anything, until it is checked. */
  readonly document: unknown;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly machine: PartMachine;
}
