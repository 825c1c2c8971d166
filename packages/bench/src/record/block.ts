import { array, nullable, number, object, optional, type Check } from "./shape.js";
import { treatment, type Treatment } from "./treatment.js";

/** One run of every treatment: one sample. */
export interface Block {
  readonly index: number;
  /** Which process measured it, from 0; 0 without it. */
  readonly process?: number;
  /** In the order in which they ran. */
  readonly runs: readonly Run[];
}

/** One generation. Times are integers; see the definitions for their formulas. */
export interface Run {
  readonly treatment: Treatment;
  /** Tokens that it made, where generations end by themselves; without it the cell's. */
  readonly tokens?: number;
  readonly endToEndNanoseconds: number;
  /** null for `generate` and `control`, which deliver nothing before the end. */
  readonly timeToFirstTokenNanoseconds: number | null;
  /** null for `generate` and `control`, and where only one token was made. */
  readonly timePerOutputTokenNanoseconds: number | null;
  /** User and system time of the whole process, its workers included. */
  readonly cpuMicroseconds: number;
  /** 0 to 1, of the consuming thread. */
  readonly eventLoopUtilization: number;
  /** Inside the user's callbacks, all tokens together; only where they are timed. */
  readonly callbackNanoseconds?: number;
  /** Sampled right after the run. */
  readonly memory: Memory;
}

/** Bytes, as `process.memoryUsage()` of the consuming thread gives them. */
export interface Memory {
  /** Of the whole process, its workers included. */
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
}

/** Checks {@link Memory}. */
export const memory: Check<Memory> = object({
  residentBytes: number,
  heapUsedBytes: number,
  externalBytes: number,
  arrayBufferBytes: number,
});

/** Checks a {@link Block}. */
export const block: Check<Block> = object({
  index: number,
  process: optional(number),
  runs: array(
    object({
      treatment,
      tokens: optional(number),
      endToEndNanoseconds: number,
      timeToFirstTokenNanoseconds: nullable(number),
      timePerOutputTokenNanoseconds: nullable(number),
      cpuMicroseconds: number,
      eventLoopUtilization: number,
      callbackNanoseconds: optional(number),
      memory,
    }),
  ),
});
