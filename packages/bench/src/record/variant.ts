import { boolean, number, optional, string, type Shape } from "./shape.js";

/**
 * What tells a cell from the ordinary one of the same generator and token
 * count, which has none of it.
 */
export interface CellVariation {
  /**
   * Share by which both streaming modes were slowed on purpose; only in
   * calibrations.
   */
  readonly injectedFraction?: number;
  /** What the consumer does with each token; without it nothing. */
  readonly workload?: string;
  /** How ids are chosen, in words; without it the likeliest is taken. */
  readonly sampling?: string;
  /** Generations at once in each run; 1 without it. */
  readonly concurrency?: number;
  /** Slots of the ring between the threads; the runtime's default without it. */
  readonly ringCapacity?: number;
  /** Tokens published at once; 1 without it. */
  readonly publishBatch?: number;
  /** How the consumer of the ring sleeps; as it does by default without it. */
  readonly ringWait?: string;
  /** How long it looks for a token before that; 0 without it. */
  readonly spinMicroseconds?: number;
  /** How long it may be left asleep with a token to read; the runtime's default without it. */
  readonly maxDelayMilliseconds?: number;
  /** Generations end where the model ends them: the cell's tokens are the most there can be. */
  readonly endsNaturally?: boolean;
  /** Prompts that the blocks take in turn; 1 without it. */
  readonly prompts?: number;
  /** Id of the cell that is measured in the same blocks, to be compared with. */
  readonly against?: string;
}

/** The checks of a {@link CellVariation}. */
export const cellVariationShape: Shape<CellVariation> = {
  injectedFraction: optional(number),
  workload: optional(string),
  sampling: optional(string),
  concurrency: optional(number),
  ringCapacity: optional(number),
  publishBatch: optional(number),
  ringWait: optional(string),
  spinMicroseconds: optional(number),
  maxDelayMilliseconds: optional(number),
  endsNaturally: optional(boolean),
  prompts: optional(number),
  against: optional(string),
};

/**
 * What was chosen for a cell, in words: `json callback`, `ring 16, batch 8`,
 * `× 4`. Empty for an ordinary cell.
 */
export function describeVariant(cell: CellVariation): string {
  const { injectedFraction, workload, sampling, concurrency } = cell;
  const { endsNaturally, prompts } = cell;
  const { ringCapacity, publishBatch, ringWait, spinMicroseconds, maxDelayMilliseconds } = cell;
  return [
    sampling,
    workload && `${workload} callback`,
    ringCapacity && `ring ${ringCapacity}`,
    publishBatch && `batch ${publishBatch}`,
    ringWait,
    spinMicroseconds && `spin ${spinMicroseconds} µs`,
    maxDelayMilliseconds === undefined ? undefined : `delay ${maxDelayMilliseconds} ms`,
    concurrency && `× ${concurrency}`,
    endsNaturally === true ? "natural ends" : undefined,
    prompts && `${prompts} prompts`,
    injectedFraction === undefined
      ? undefined
      : `slowed by ${Number((injectedFraction * 100).toFixed(2))} %`,
  ]
    .filter((part) => part !== undefined && part !== "" && part !== 0)
    .join(", ");
}
