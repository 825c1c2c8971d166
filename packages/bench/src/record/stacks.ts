import type { Definition } from "./definition.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { estimates, type Estimates } from "./estimates.js";
import { cellIdentityShape, type CellIdentity } from "./identity.js";
import {
  array,
  boolean,
  nullable,
  number,
  object,
  oneOf,
  pick,
  string,
  type Check,
} from "./shape.js";
import { warmUp, type WarmUp } from "./warm-up.js";

/**
 * The same known tokens through libraries that carry a stream: each block runs every stack once at
 * every token count.
 */
export interface StackMeasurement extends Pick<CellIdentity, "generator" | "model" | "host"> {
  readonly warmUp: WarmUp;
  /** In the order in which tables show them. */
  readonly stacks: readonly StackSummary[];
  readonly leftOut: readonly LeftOutStack[];
}

/** One stack, over all blocks. */
export interface StackSummary {
  /** Unique in a measurement. */
  readonly stack: string;
  /** The stack whose cost is subtracted from this one's; null where none is. */
  readonly against: string | null;
  /** What was loaded for it; null where Node.js is all that it needs. */
  readonly library: StackLibrary | null;
  /**
   * Whether the tokens come over a loopback socket from another process, whose CPU time is not
   * counted.
   */
  readonly socket: boolean;
  /** Ascending. */
  readonly sizes: readonly StackAtSize[];
  readonly cpuGrowth: StackGrowth | null;
  readonly allocationGrowth: StackGrowth | null;
}

export interface StackLibrary {
  readonly name: string;
  readonly version: string;
  /** `engines.node` of its package.json; null where it has none. */
  readonly nodeRange: string | null;
}

/** A stack at one token count. Medians are over the blocks. */
export interface StackAtSize {
  /** Of each run. */
  readonly tokens: number;
  /** User + system time of the process over a run, of each block. */
  readonly cpuMicroseconds: readonly number[];
  /** Asked for → the stack has ended, of each block. */
  readonly durationNanoseconds: readonly number[];
  /** In the JavaScript heap of the consuming thread, of each run with the sampler on. */
  readonly allocatedBytes: readonly number[];
  /** A median. */
  readonly cpuMicrosecondsPerToken: number;
  /** A median. */
  readonly durationNanosecondsPerToken: number;
  /** A median; null where nothing was sampled. */
  readonly allocatedBytesPerToken: number | null;
  /** Tokens / pieces of text that the consumer got, in the last block. */
  readonly tokensPerPiece: number;
  /** Text at the consumer − token made, of each token of all blocks; null where nobody knows. */
  readonly deliveryLatency: LatencySummary | null;
  /** Less the CPU time of {@link StackSummary.against}; null without it, or with too few blocks. */
  readonly addedCpuMicrosecondsPerToken: Estimates | null;
}

/** `unclear` where the interval allows for more than one of the others. */
export type GrowthOrder = "linear" | "more than linear" | "quadratic" | "unclear";

/** How a cost grows with the number of tokens. */
export interface StackGrowth {
  /** Three counts; each is the same multiple of the one before. */
  readonly tokens: readonly number[];
  /** e of cost = start + k·tokensᵉ, by the medians over the blocks. */
  readonly exponent: number;
  /** The same over blocks; null with fewer blocks than an interval needs. */
  readonly estimates: Estimates | null;
  /** null without an interval. */
  readonly order: GrowthOrder | null;
}

/** A stack that was not measured. */
export interface LeftOutStack {
  readonly stack: string;
  readonly reason: string;
}

const growth: Check<StackGrowth> = object({
  tokens: array(number),
  exponent: number,
  estimates: nullable(estimates),
  order: nullable(oneOf("linear", "more than linear", "quadratic", "unclear")),
});

const atSize: Check<StackAtSize> = object({
  tokens: number,
  cpuMicroseconds: array(number),
  durationNanoseconds: array(number),
  allocatedBytes: array(number),
  cpuMicrosecondsPerToken: number,
  durationNanosecondsPerToken: number,
  allocatedBytesPerToken: nullable(number),
  tokensPerPiece: number,
  deliveryLatency: nullable(latencySummary),
  addedCpuMicrosecondsPerToken: nullable(estimates),
});

/** Checks a {@link StackMeasurement}. */
export const stackMeasurement: Check<StackMeasurement> = object({
  ...pick(cellIdentityShape, "generator", "model", "host"),
  warmUp,
  stacks: array(
    object({
      stack: string,
      against: nullable(string),
      library: nullable(object({ name: string, version: string, nodeRange: nullable(string) })),
      socket: boolean,
      sizes: array(atSize),
      cpuGrowth: nullable(growth),
      allocationGrowth: nullable(growth),
    }),
  ),
  leftOut: array(object({ stack: string, reason: string })),
});

/** What the numbers of a {@link StackMeasurement} mean. */
export const stackDefinitions: readonly Definition[] = [
  {
    metric: "cost of a stack",
    formula:
      "the same tokens through every stack, once in each block at every token count; the consumer " +
      "compares each piece of text with what has to come and takes its time; CPU: user + system " +
      "time of the process / tokens, median over blocks; a server behind a socket is another " +
      "process and is not counted; less: minus the named stack's in the same block, by " +
      "Hodges–Lehmann (95 %); wall: asked for until the stack has ended / tokens; delay: text at " +
      "the consumer − token made",
  },
  {
    metric: "bytes of a stack",
    formula:
      "allocated in the JavaScript heap of the consuming thread, garbage included, by the sampling " +
      "heap profiler in runs of their own / tokens, median over those; buffers outside of the heap " +
      "are not in it",
  },
  {
    metric: "growth of a stack",
    formula:
      "the exponent e of cost = start + k · tokensᵉ over three token counts n, r·n, r²·n: " +
      "ln((C₃ − C₂) / (C₂ − C₁)) / ln r per block, so that what a stream costs once cancels; over " +
      "blocks by Hodges–Lehmann (95 %); linear: the interval ends below 1.25; more than linear: it " +
      "begins above 1.1; quadratic: it begins above 1.5, where at the largest count most of the " +
      "cost is work done again for all earlier tokens; otherwise unclear",
  },
];
