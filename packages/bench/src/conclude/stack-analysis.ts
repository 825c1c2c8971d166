import type { LatencySummary, StackAtSize, StackSummary } from "../record/index.js";
import { median } from "../statistics/index.js";
import { estimateDifferencePerToken } from "./paired-blocks.js";
import { growthOf } from "./stack-growth.js";

/** One run of a stack; `allocatedBytes` where they were sampled. */
export interface StackRunAtSize {
  readonly stack: string;
  readonly tokens: number;
  readonly cpuMicroseconds: number;
  readonly durationNanoseconds: number;
  readonly tokensPerPiece: number;
  readonly allocatedBytes?: number;
}

/** All runs of all stacks. */
export interface StackRuns {
  readonly tokens: readonly number[];
  readonly blocks: readonly (readonly StackRunAtSize[])[];
  /** Blocks with the sampler on. */
  readonly allocations: readonly (readonly StackRunAtSize[])[];
  /** By the stack's name and the count. */
  readonly latencies: ReadonlyMap<string, { summarize(): LatencySummary }>;
}

/** What the runs say of one stack. */
export function concludeStack(
  about: Pick<StackSummary, "stack" | "against" | "library" | "socket">,
  { tokens: counts, blocks, allocations, latencies }: StackRuns,
): StackSummary {
  const { stack, against } = about;
  const of = (from: StackRuns["blocks"], name: string, tokens: number): StackRunAtSize[] =>
    from.flatMap((runs) => runs.filter((run) => run.stack === name && run.tokens === tokens));
  const cpuOf = (name: string, tokens: number): number[] =>
    of(blocks, name, tokens).map(({ cpuMicroseconds }) => cpuMicroseconds);
  const sizes = counts.map((tokens): StackAtSize => {
    const runs = of(blocks, stack, tokens);
    const cpuMicroseconds = cpuOf(stack, tokens);
    const durationNanoseconds = runs.map((run) => run.durationNanoseconds);
    const allocatedBytes = of(allocations, stack, tokens).map((run) => run.allocatedBytes ?? 0);
    return {
      tokens,
      cpuMicroseconds,
      durationNanoseconds,
      allocatedBytes,
      cpuMicrosecondsPerToken: median(cpuMicroseconds) / tokens,
      durationNanosecondsPerToken: median(durationNanoseconds) / tokens,
      allocatedBytesPerToken: allocatedBytes.length === 0 ? null : median(allocatedBytes) / tokens,
      tokensPerPiece: runs.at(-1)?.tokensPerPiece ?? 1,
      deliveryLatency: latencies.get(`${stack} ${tokens}`)?.summarize() ?? null,
      addedCpuMicrosecondsPerToken:
        against === null
          ? null
          : estimateDifferencePerToken(cpuMicroseconds, cpuOf(against, tokens), tokens),
    };
  });
  return {
    ...about,
    sizes,
    cpuGrowth: growthOf(
      sizes.map(({ tokens, cpuMicroseconds }) => ({ tokens, costs: cpuMicroseconds })),
    ),
    allocationGrowth: growthOf(
      sizes.map(({ tokens, allocatedBytes }) => ({ tokens, costs: allocatedBytes })),
    ),
  };
}
