import { analysis, tailComparison, type Analysis, type TailComparison } from "./analysis.js";
import { block, type Block } from "./block.js";
import { distribution, type Distribution } from "./distribution.js";
import { failureShape, type Failure } from "./failure.js";
import { cellIdentityShape, type CellIdentity } from "./identity.js";
import { array, nullable, number, object, oneOf, optional, string, type Check } from "./shape.js";
import { warmUp, type WarmUp } from "./warm-up.js";

/** How far something is that is measured. */
export type Status = "running" | "complete" | "interrupted" | "failed";

/** One experiment: every treatment, in interleaved blocks. */
export interface Cell extends CellIdentity {
  readonly status: Status;
  /** Why the cell failed; null unless it did. */
  readonly failure: Failure | null;
  /** null until the first generation has said so. */
  readonly promptTokens: number | null;
  /** Over all processes. */
  readonly warmUp: WarmUp;
  /** What each process did for this cell. */
  readonly processes: readonly ProcessPart[];
  /** Blocks that were planned, over all processes; fewer are done when the time budget ran out. */
  readonly plannedBlocks: number;
  readonly blocks: readonly Block[];
  /** Over all tokens of all measured runs; made when the cell ends. */
  readonly distributions: readonly Distribution[];
  /** null with fewer blocks than an interval needs. */
  readonly analysis: Analysis | null;
  /** Of the slow runs; absent in records from before it was made. */
  readonly tails?: readonly TailComparison[];
  /**
   * What blocks, distributions and analysis are derived from. null until the
   * cell ends, and for a cell without a block.
   */
  readonly rawSamples: RawSamplesReference | null;
}

/** The file with the raw samples of a cell. */
export interface RawSamplesReference {
  /** Relative to the folder of the record, with forward slashes. */
  readonly file: string;
  readonly byteLength: number;
  /** Of the file's bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** One process's share of a cell. */
export interface ProcessPart {
  /** {@link Block.process} */
  readonly process: number;
  readonly status: Status;
  readonly blocks: number;
  readonly warmUp: WarmUp;
}

const status: Check<Status> = oneOf("running", "complete", "interrupted", "failed");

/** Checks a {@link RawSamplesReference}. */
export const rawSamplesReference: Check<RawSamplesReference> = object({
  file: string,
  byteLength: number,
  sha256: string,
});

/** Checks a {@link Cell}. */
export const cell: Check<Cell> = object({
  ...cellIdentityShape,
  status,
  failure: nullable(object(failureShape)),
  promptTokens: nullable(number),
  warmUp,
  processes: array(object({ process: number, status, blocks: number, warmUp })),
  plannedBlocks: number,
  blocks: array(block),
  distributions: array(distribution),
  analysis: nullable(analysis),
  tails: optional(array(tailComparison)),
  rawSamples: nullable(rawSamplesReference),
});
